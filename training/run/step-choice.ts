/** Which way and on how many threads the steps of a run are taken: as asked for, as it was begun with, or as was fastest here. */
import { createHash } from 'node:crypto';
import { availableParallelism, cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { type Backend, stepperNames } from '../backend/index.ts';
import type { Dataset } from '../data/index.ts';
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

/** A function that gives a vector of zeros. */
const vectors = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** What compiled steps cannot have here, told once: without vectors nothing is compiled, without memory that is shared one thread runs it. */
export function noteOnEngine(
  { isProcessor, stepper, threads = availableParallelism() }: Backend,
  note: RunReporter['note'],
): void {
  if (!isProcessor || (stepper ?? 'compiled') !== 'compiled') return;
  if (!WebAssembly.validate(vectors)) {
    // Who asks for them is refused.
    if (stepper === undefined)
      note('this Node has no SIMD in WebAssembly: ONNX Runtime takes the steps alone, which is slower');
  } else if (threads > 1 && typeof SharedArrayBuffer === 'undefined') {
    note('this Node has no SharedArrayBuffer: compiled steps run on one thread');
  }
}

/** Tells a run that it has more threads than cores: it was told to, or was begun where there are more. */
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

/** The backend on which a run goes on that was begun with such steps; the one that was given where it has no such. */
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

/** As the backend is told but for the threads of steps, where it has a choice of them. */
const withThreads = (backend: Backend, threads: number): Backend => ({
  ...(backend.withStepThreads?.(threads) ?? backend),
  stepper: backend.stepper,
});

/** Shorter runs are over before a measurement has paid. */
const minSteps = 1000;

/**
 * The backend that takes the steps the way and with the threads that are fastest on this machine, where that is in doubt: measured once,
 * and remembered.
 */
export async function backendAsMeasured(
  { plan, train, config }: Steps,
  backend: Backend,
  { note, onStage }: Pick<RunReporter, 'note' | 'onStage'>,
  { cores = availableParallelism(), measure = fastestSteps } = {},
): Promise<Backend> {
  const steps = config.steps ?? config.epochs * Math.floor(train.count / config.batchSize);
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
  note(`${said(fastest, cores)}, as measured on this machine; --threads or --stepper says otherwise`);
  return backendWith(fastest);
}

const said = ({ stepper, threads }: StepRecord, cores: number): string =>
  `steps take ${threads} of ${cores} threads${stepper === 'compiled' ? ', compiled' : ''}`;

/** The run itself tells of it, with its step. */
function unlessDiverged(error: unknown): undefined {
  if (!(error instanceof DivergenceError)) throw error;
}

/** Of all that the answer depends on. */
function fingerprint(graph: Graph, { engine, stepper }: Backend): string {
  const machine = [cpus()[0]?.model, availableParallelism(), process.version, packageVersion(), engine, stepper];
  return createHash('sha256').update(JSON.stringify(machine)).update(encodeModel(graph)).digest('hex');
}

/** None where the user has no home, as a number that the machine has no name for, or an empty one: it would be the working folder. */
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

/** Nothing where nothing can be read: it is measured again. */
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
    // A home that cannot be written to costs the measurement of the next run, not this one.
    if (!(error instanceof UserError)) throw error;
  }
}
