/**
 * The folder of a training run, `runs/<network>/`:
 *
 *   config.json              the command's arguments and where it ran, network, data, settings with the seed, versions
 *   metrics.jsonl            one line per epoch
 *   events.out.tfevents.*    the same and the loss of every call, for TensorBoard
 *   figures/                 the curves as SVG
 *   mistakes.svg             the worst mistakes on pictures, once the run has been evaluated
 *   last.safetensors         the state of the run, for --resume: written after each epoch and when it is interrupted
 *   best.safetensors         the network after the epoch with the lowest validation loss so far
 *   checkpoint.safetensors   the trained network, once the run is complete; export reads it
 *   out-of-fold.safetensors  the answers of folds' networks to unseen samples, which export fits the reading to
 *   out-of-fold.csv          the same answers as a table, which the command line writes
 *   folds/                   the networks of the search that --folds and --refit make
 *   .former/                 the previous run, until this one has saved something
 *   .lock                    the process that trains, while it does
 *
 * A run that begins moves the previous one aside, and brings it back if it ends without saving anything:
 *
 *   current ── begin ──▶ .former/ ──┬── this run saved: forgetFormer ──▶ deleted
 *                                   ├── this run failed: restore ──▶ current
 *                                   └── its process was killed: recover ──▶ deleted or current
 *
 * Each file with tensors is replaced as a whole, so that a crash or a full disk leaves the previous one.
 */
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { append, makeFolder, readBytes, removeTemporaries, writeAtomically } from '../files/index.ts';
import {
  outOfFoldFile,
  saveModel,
  storedEvaluation,
  type TrainedModel,
  type TrainingRecord,
} from '../checkpoint/index.ts';
import type { Plan } from '../network/index.ts';
import { objectiveRuleOf, type Score } from '../objective/index.ts';
import { loadSnapshot, type RunDescription, saveSnapshot, type StoredRun } from './snapshot-file.ts';
import { bestEpoch, type EpochMetrics, type Snapshot, type StepRecord, type TrainingEvents } from '../trainer/index.ts';
import { openEventFile, type Scalars } from './tensorboard.ts';

/** The facts that the files record about the run. */
export interface Run {
  readonly plan: Plan;
  readonly description: RunDescription;
  readonly engine: string;
  readonly steps: StepRecord;
  /** The SHA-256 of the samples of all parts. */
  readonly sha256: string;
  readonly classes: readonly string[];
  readonly columns?: TrainedModel['columns'];
  readonly picture?: TrainedModel['picture'];
  readonly stepsPerEpoch: number;
}

export const configFile = 'config.json';

/** The file that names the process that trains in the folder. */
export const lockFile = '.lock';

export const tensorFiles = ['last.safetensors', 'best.safetensors', 'checkpoint.safetensors'] as const;

/** The folder with the networks of a search, see stored-trials.ts. */
export const trialsFolder = 'folds';

export const trialFile = (folder: string, number: number): string =>
  join(folder, trialsFolder, `${number}.safetensors`);

export class RunFolder {
  readonly path: string;
  readonly #run: Run;
  readonly #score: Score;

  constructor(path: string, run: Run) {
    this.path = path;
    this.#run = run;
    this.#score = objectiveRuleOf(run.description.config.objective).score;
  }

  /**
   * Returns the state of the run in the folder; undefined when none has begun.
   *
   * @throws UserError when it is another run
   */
  async loadState(): Promise<StoredRun | undefined> {
    const { plan, description } = this.#run;
    const path = this.#file('last.safetensors');
    return existsSync(path) ? await loadSnapshot(path, plan, description) : undefined;
  }

  /** Moves a previous run aside until this one has saved something, so that files of the two are never mixed. */
  async begin(): Promise<void> {
    await rm(this.#file(asideFolder), { recursive: true, force: true });
    await moveAll(await this.#filesOfRuns(), this.path, this.#file(asideFolder));
  }

  /** Restores the previous run, where this one has ended without saving anything. */
  async restore(): Promise<void> {
    if (!existsSync(this.#file(asideFolder))) return;
    for (const name of await this.#filesOfRuns()) await rm(this.#file(name), { recursive: true, force: true });
    await this.#bringBack();
  }

  /**
   * Deletes or restores the previous run after another process was killed, possibly while it moved that run aside.
   * Which of the two depends on whether the killed run had saved something.
   */
  async recover(): Promise<void> {
    if (!existsSync(this.#file(asideFolder))) return;
    if (hasSaved(this.path)) await this.forgetFormer();
    else await this.#bringBack();
  }

  /** Deletes the previous run, once this one has saved something. */
  async forgetFormer(): Promise<void> {
    await rm(this.#file(asideFolder), { recursive: true, force: true });
  }

  async #bringBack(): Promise<void> {
    const names = await readdir(this.#file(asideFolder));
    for (const name of names) await rm(this.#file(name), { recursive: true, force: true });
    await moveAll(names, this.#file(asideFolder), this.path);
    await rm(this.#file(asideFolder), { recursive: true });
  }

  /**
   * Lists the files of runs. Those that show that a run has saved something come first: while one is there, the run has
   * not been moved aside.
   */
  async #filesOfRuns(): Promise<readonly string[]> {
    const found = await readdir(this.path);
    const others = [configFile, 'metrics.jsonl', 'figures', 'mistakes.svg', 'out-of-fold.csv', outOfFoldFile];
    const names: readonly string[] = [trialsFolder, ...tensorFiles, ...others];
    return [...names.filter((name) => found.includes(name)), ...found.filter((name) => name.startsWith(eventsPrefix))];
  }

  /**
   * Records what the run is, and the arguments that resume it, since its data may have moved. Their paths are relative
   * to the process's working folder, which is stored relative to the run folder, so that both can be moved together.
   */
  async describe(args: readonly string[] | undefined, versions: Readonly<Record<string, string>>): Promise<void> {
    const command = args && { arguments: args, directory: relative(resolve(this.path), process.cwd()) };
    const config = { ...command, ...this.#run.description, versions };
    await writeAtomically(this.#file(configFile), `${JSON.stringify(config, undefined, 2)}\n`);
  }

  /** Records events, from the start or from the state of the run. */
  async record(snapshot: Snapshot | undefined): Promise<Required<Omit<TrainingEvents, 'onEvaluated'>>> {
    await removeTemporaries(this.path);
    const epochs = snapshot?.history.length ?? 0;
    const addMetrics = await openMetricsFile(this.#file('metrics.jsonl'), this.#score, epochs);
    const events = openEventFile(this.#file(`${eventsPrefix}${Date.now()}.bn-edge`), snapshot?.steps ?? 0);
    let best = snapshot?.best;
    return {
      onProgress: ({ steps, loss }) => {
        events.add(steps, { 'loss/step': loss });
      },
      onEpoch: (metrics) => {
        addMetrics(metrics);
        events.add(metrics.steps, epochScalars(metrics, this.#score));
      },
      onSnapshot: async (snapshot) => {
        if (snapshot.best && snapshot.best !== best) await this.#saveBest(snapshot, snapshot.best);
        best = snapshot.best;
        const { description, engine, steps } = this.#run;
        await saveSnapshot(this.#file('last.safetensors'), description, { snapshot, engine, steps });
        await this.forgetFormer();
      },
    };
  }

  async draw(history: Snapshot['history']): Promise<void> {
    // The plotting library takes a second to load, so it is loaded only here.
    const { writeFigures } = await import('./figures.ts');
    await writeFigures(this.#file('figures'), history, this.#score);
  }

  /**
   * Saves the trained network.
   *
   * @returns the path of the checkpoint
   */
  async finish(tensors: TrainedModel['tensors'], { steps, history }: Pick<TrainingRecord, 'steps' | 'history'>) {
    const path = this.#file('checkpoint.safetensors');
    await this.#saveModel(path, tensors, { steps, history });
    return path;
  }

  async #saveBest({ history, steps: taken }: Snapshot, tensors: TrainedModel['tensors']): Promise<void> {
    const epoch = bestEpoch(history);
    const steps = Math.min(epoch * this.#run.stepsPerEpoch, taken);
    await this.#saveModel(this.#file('best.safetensors'), tensors, { steps, history: history.slice(0, epoch) });
  }

  async #saveModel(
    path: string,
    tensors: TrainedModel['tensors'],
    progress: Pick<TrainingRecord, 'steps' | 'history'>,
  ): Promise<void> {
    const { plan, classes, columns, picture, description, engine } = this.#run;
    const { config } = description;
    const data = { ...description.data, sha256: this.#run.sha256 };
    await saveModel(path, { plan, tensors, classes, columns, picture, record: { data, config, engine, ...progress } });
  }

  #file(name: string): string {
    return join(this.path, name);
  }
}

/** The subfolder that holds the files of a previous run. */
export const asideFolder = '.former';

/** Is true where a run has saved something to resume from. */
export const hasSaved = (folder: string): boolean =>
  [join(folder, tensorFiles[0]), trialFile(folder, 1)].some((file) => existsSync(file));

/**
 * Returns the configuration of the run that a folder would resume. Where a process was killed before it had saved
 * anything, this is the run that it had moved aside.
 */
export function configurationIn(folder: string): string {
  const former = join(folder, asideFolder, configFile);
  return !hasSaved(folder) && existsSync(former) ? former : join(folder, configFile);
}

async function moveAll(names: readonly string[], from: string, to: string): Promise<void> {
  if (names.length === 0) return;
  await makeFolder(to);
  for (const name of names) await rename(join(from, name), join(to, name));
}

/**
 * Opens a metrics file: one line with a JSON object for each epoch. The returned function appends an epoch's line,
 * which is complete when it returns.
 *
 * @param score names the epochs' scores
 * @param epochs the number of lines that stay; a killed run may have left more, or half a line
 */
export async function openMetricsFile(
  path: string,
  score: Score,
  epochs: number,
): Promise<(metrics: EpochMetrics) => void> {
  const text = existsSync(path) ? Buffer.from(await readBytes(path)).toString() : '';
  const kept = text.split('\n').slice(0, epochs);
  await writeAtomically(path, kept.map((line) => `${line}\n`).join(''));
  return (metrics) => {
    const [train, validation] = [metrics.train, metrics.validation].map((part) => storedEvaluation(part, score));
    append(path, `${JSON.stringify({ ...metrics, train, validation })}\n`);
  };
}

const eventsPrefix = 'events.out.tfevents.';

function epochScalars({ train, validation, samplesPerSecond }: EpochMetrics, score: Score): Scalars {
  const named = Object.entries({ train, validation }).flatMap(([part, evaluation]) =>
    Object.entries(storedEvaluation(evaluation, score)).map(([metric, value]) => [`${metric}/${part}`, value] as const),
  );
  return { ...Object.fromEntries(named), samples_per_second: samplesPerSecond };
}
