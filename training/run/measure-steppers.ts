/**
 * Chooses how the steps of a run are computed and on how many threads: as requested, as the run was begun, or as
 * measured to be fastest on this machine.
 */
import { createHash } from 'node:crypto';
import { availableParallelism, cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { type Backend, stepperNames } from '../backend/index.ts';
import { batchesOf, type Dataset } from '../data/index.ts';
import { makeFolder, packageVersion, UserError, writeAtomically } from '../files/index.ts';
import { encodeModel, type Graph } from '../graph/index.ts';
import type { Plan } from '../network/index.ts';
import {
  DivergenceError,
  fastestSteps,
  stepGraphFor,
  type StepRecord,
  stepRecord,
  stepsInDoubt,
} from '../trainer/index.ts';
import type { RunReporter } from './reporter.ts';
import type { RunConfig } from './snapshot-file.ts';

export interface Steps {
  readonly plan: Plan;
  readonly train: Dataset;
  readonly config: RunConfig;
}

/** A module with a function that returns a vector of zeros. */
const simdProbe = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/**
 * Notes once what compiled steps lack here: without SIMD nothing is compiled, and without shared memory one thread runs
 * the steps.
 */
export function noteOnEngine(
  { isCpu, stepper, threads = availableParallelism() }: Backend,
  note: RunReporter['note'],
): void {
  if (!isCpu || (stepper ?? 'compiled') !== 'compiled') return;
  if (!WebAssembly.validate(simdProbe)) {
    // An explicit request for them is refused.
    if (stepper === undefined)
      note('this Node has no SIMD in WebAssembly: ONNX Runtime takes the steps alone, which is slower');
  } else if (threads > 1 && typeof SharedArrayBuffer === 'undefined') {
    note('this Node has no SharedArrayBuffer: compiled steps run on one thread');
  }
}

/** Notes that a run uses more threads than there are cores, by request or since it was begun on a larger machine. */
export function noteOnThreads(
  { threads = 1 }: StepRecord,
  note: RunReporter['note'],
  cores = availableParallelism(),
): void {
  if (threads > cores)
    note(
      `steps take ${threads} threads on ${coreCount(cores)}, which wait for each other; --threads ${cores} is faster`,
    );
}

const coreCount = (cores: number): string => `${cores} ${cores === 1 ? 'core' : 'cores'}`;

/** Returns the backend that resumes a run with the same kind of steps; the given one where that is not available. */
export function backendAsBefore(steps: Steps, backend: Backend, before: StepRecord): Backend {
  const stepper = backend.stepper ?? before.stepper;
  const same = { ...(before.threads === undefined ? backend : withThreads(backend, before.threads)), stepper };
  try {
    stepRecord(steps.plan, steps.train, steps.config, same);
    return same;
  } catch (error) {
    if (error instanceof UserError && backend.stepper === undefined) return backend;
    throw error;
  }
}

/** Returns a backend with another number of threads for steps, where it has a choice. */
const withThreads = (backend: Backend, threads: number): Backend => ({
  ...(backend.withStepThreads?.(threads) ?? backend),
  stepper: backend.stepper,
});

/** The minimum length of a run: in shorter ones a measurement does not pay. */
const minSteps = 1000;

/**
 * Returns the backend with the kind of steps and the threads that are fastest on this machine. Where that is in doubt,
 * it is measured once and cached.
 */
export async function backendAsMeasured(
  { plan, train, config }: Steps,
  backend: Backend,
  { note, onStage }: Pick<RunReporter, 'note' | 'onStage'>,
  { cores = availableParallelism(), measure = fastestSteps } = {},
): Promise<Backend> {
  const steps = config.steps ?? config.epochs * batchesOf(train.count, config.batchSize);
  if (!backend.withStepThreads || Math.min(steps, config.stopAfter ?? Infinity) < minSteps) return backend;
  const key = fingerprint(stepGraphFor(plan, train, config, backend), backend);
  const known = await remembered();
  const backendWith = ({ stepper, threads = cores }: StepRecord) => ({ ...withThreads(backend, threads), stepper });
  const measured = async () => {
    const records = stepsInDoubt(plan, train, config, backend, cores);
    if (records.length === 1) return undefined;
    onStage('measure which steps are fastest');
    return measure(plan, train, config, records, backendWith).catch(unlessDiverged);
  };
  const fastest = known[key] ?? (await measured());
  if (fastest === undefined) return backend;
  if (known[key] === undefined) await remember({ ...known, [key]: fastest });
  note(`${describeChoice(fastest, cores)}, as measured on this machine; --threads or --stepper overrides this`);
  return backendWith(fastest);
}

const describeChoice = ({ stepper, threads }: StepRecord, cores: number): string =>
  `steps take ${threads} of ${cores} threads${stepper === 'compiled' ? ', compiled' : ''}`;

/** Ignores divergence, which the run itself reports with its step. */
function unlessDiverged(error: unknown): undefined {
  if (!(error instanceof DivergenceError)) throw error;
}

/** Hashes everything that the answer depends on. */
function fingerprint(graph: Graph, { engine, stepper }: Backend): string {
  const machine = [cpus()[0]?.model, availableParallelism(), process.version, packageVersion(), engine, stepper];
  return createHash('sha256').update(JSON.stringify(machine)).update(encodeModel(graph)).digest('hex');
}

/**
 * Returns the path of the cache. It is undefined where the user has no home folder (a user id without an entry in
 * /etc/passwd), or an empty one, since that would mean the working folder.
 */
function cacheFile(): string | undefined {
  const file = (folder: string): string => join(folder, 'bn-edge', 'threads.json');
  const asked = process.env['XDG_CACHE_HOME'];
  if (asked) return file(asked);
  try {
    const home = homedir();
    return home === '' ? undefined : file(join(home, '.cache'));
  } catch {
    return undefined;
  }
}

const cacheSchema = z.record(z.string(), z.object({ stepper: z.enum(stepperNames), threads: z.int().positive() }));
const maxRemembered = 100;

/** Reads the cache. It is empty where it cannot be read, and the steps are then measured again. */
async function remembered(): Promise<Readonly<Record<string, StepRecord>>> {
  const file = cacheFile();
  if (file === undefined) return {};
  try {
    return cacheSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

async function remember(all: Readonly<Record<string, StepRecord>>): Promise<void> {
  const file = cacheFile();
  if (file === undefined) return;
  const latest = Object.entries(all).slice(-maxRemembered);
  try {
    await makeFolder(dirname(file));
    await writeAtomically(file, `${JSON.stringify(Object.fromEntries(latest), undefined, 2)}\n`);
  } catch (error) {
    // Where the home folder cannot be written to, the next run measures again.
    if (!(error instanceof UserError)) throw error;
  }
}
