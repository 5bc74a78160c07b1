/** How many threads take the steps of a run: as many as asked for, as it was begun with, or as were fastest here. */
import { createHash } from 'node:crypto';
import { availableParallelism, cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { type Backend, threadsInDoubt } from '../backend/index.ts';
import type { Dataset } from '../data/index.ts';
import { makeFolder, packageVersion, UserError, writeAtomically } from '../files/index.ts';
import { encodeModel, type Graph } from '../graph/index.ts';
import type { Plan } from '../network/index.ts';
import { DivergenceError, fastestThreads, stepGraphFor, type StepRecord, stepRecord } from '../trainer/index.ts';
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

/** Without vectors nothing is compiled: what a run then does instead is told once. */
export function noteOnVectors({ isProcessor, stepper }: Backend, note: RunReporter['note']): void {
  if (!isProcessor || stepper !== undefined || WebAssembly.validate(vectors)) return;
  note('this Node has no SIMD in WebAssembly: ONNX Runtime takes the steps alone, which is slower');
}

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
const leastSteps = 1000;

/** The backend with as many threads for steps as are fastest on this machine, where that is in doubt: measured once, and remembered. */
export async function backendAsMeasured(
  { plan, train, config }: Steps,
  backend: Backend,
  { note, onStage }: Pick<RunReporter, 'note' | 'onStage'>,
  { cores = availableParallelism(), measure = fastestThreads } = {},
): Promise<Backend> {
  const graph = backend.withStepThreads && stepGraphFor(plan, train, config, backend);
  const steps = config.steps ?? config.epochs * Math.floor(train.count / config.batchSize);
  if (!graph || Math.min(steps, config.stopAfter ?? Infinity) < leastSteps) return backend;
  const threads = threadsInDoubt(graph, cores);
  if (threads.length === 1) return backend;
  const key = fingerprint(graph, backend);
  const known = await remembered();
  if (known[key] === undefined) onStage('measure how many threads are fastest');
  const fastest =
    known[key] ??
    (await measure(plan, train, config, threads, (count) => withThreads(backend, count)).catch(unlessDiverged));
  if (fastest === undefined) return backend;
  if (known[key] === undefined) await remember({ ...known, [key]: fastest });
  note(`steps take ${fastest} of ${cores} threads, as measured on this machine; --threads says otherwise`);
  return withThreads(backend, fastest);
}

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

const cacheSchema = z.record(z.string(), z.int().positive());
const mostRemembered = 100;

/** Nothing where nothing can be read: it is measured again. */
async function remembered(): Promise<Readonly<Record<string, number>>> {
  const file = cacheFile();
  if (file === undefined) return {};
  try {
    return cacheSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

async function remember(all: Readonly<Record<string, number>>): Promise<void> {
  const file = cacheFile();
  if (file === undefined) return;
  const latest = Object.entries(all).slice(-mostRemembered);
  try {
    await makeFolder(dirname(file));
    await writeAtomically(file, `${JSON.stringify(Object.fromEntries(latest), undefined, 2)}\n`);
  } catch (error) {
    // A home that cannot be written to costs the measurement of the next run, not this one.
    if (!(error instanceof UserError)) throw error;
  }
}
