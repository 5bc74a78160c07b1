/**
 * Stores a training run as safetensors: the network under the names of a checkpoint, the optimizer's slots and averages
 * as `<tensor>/<slot>`, the best epoch's network as `best/<tensor>`. The metadata describe the run and its progress.
 */
import { z } from 'zod';
import {
  type DataRecord,
  historySchema,
  pickTensor,
  readSafetensors,
  storedHistory,
  type StoredTensor,
  withDeviations,
  writeSafetensors,
} from '../checkpoint/index.ts';
import { checkedJson, parseJson, unexpected, UserError } from '../files/index.ts';
import { stepperNames } from '../backend/index.ts';
import { type Network, type Plan, tensorsOf } from '../network/index.ts';
import { type Objective, objectiveRuleOf } from '../objective/index.ts';
import {
  bestEpoch,
  type Snapshot,
  type State,
  stateShapes,
  type StepRecord,
  type TrainingConfig,
} from '../trainer/index.ts';

/** A configuration that includes the objective. */
export interface RunConfig extends TrainingConfig {
  readonly objective: Objective;
}

/** Everything that a run depends on, as plain JSON. */
export interface RunDescription {
  readonly network: Network;
  readonly data: DataRecord;
  /** The SHA-256 of the training and validation sets. */
  readonly sha256: string;
  readonly config: RunConfig;
}

export interface StoredRun {
  readonly snapshot: Snapshot;
  /**
   * The engine of the run. With another one, the rest of the run is the same within the backends' tolerance, but not
   * bit by bit.
   */
  readonly engine: string;
  /** The way in which steps were computed; absent in runs from before it was stored. */
  readonly steps?: StepRecord | undefined;
}

const keys = {
  run: 'bn_edge.run',
  engine: 'bn_edge.engine',
  steps: 'bn_edge.steps',
  progress: 'bn_edge.progress',
} as const;

const stepsSchema = z.strictObject({ stepper: z.enum(stepperNames), threads: z.int().positive().optional() });

/** Returns the metadata that `storedSteps` reads. */
export const stepsMetadata = (steps: StepRecord | undefined): Readonly<Record<string, string>> =>
  steps ? { [keys.steps]: JSON.stringify(steps) } : {};

/** @throws UserError for a file that is damaged */
export async function storedSteps(path: string): Promise<StepRecord | undefined> {
  return stepsIn(path, (await readSafetensors(path)).metadata);
}

const stepsIn = (path: string, { [keys.steps]: text }: Readonly<Record<string, string>>): StepRecord | undefined =>
  text === undefined ? undefined : checkedJson(stepsSchema, text, `${path}: ${keys.steps}`);

const progressSchema = z.strictObject({
  steps: z.int().nonnegative(),
  history: historySchema,
  sums: z.strictObject({ loss: z.number(), score: z.number() }),
  spent: z.number().nonnegative().optional(),
});

/**
 * Writes a run. The same run gives the same file.
 *
 * @throws UserError when the file cannot be written; a previous one is then untouched
 */
export async function saveSnapshot(
  path: string,
  description: RunDescription,
  { snapshot: { state, best = new Map(), ...progress }, engine, steps }: StoredRun,
): Promise<void> {
  const { score } = objectiveRuleOf(description.config.objective);
  const tensors = [...state, ...[...best].map(([name, tensor]) => [bestName(name), tensor] as const)];
  const stored = tensors.map(([name, { shape, data }]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape, data },
  ]);
  await writeSafetensors(path, new Map(stored), {
    [keys.run]: JSON.stringify(description),
    [keys.engine]: engine,
    ...stepsMetadata(steps),
    [keys.progress]: JSON.stringify({ ...progress, history: storedHistory(progress.history, score) }),
  });
}

/**
 * Reads a run.
 *
 * @param description of the run that is to be resumed
 * @throws UserError naming the file and the first setting that differs in the stored run, or what is missing
 */
export async function loadSnapshot(path: string, plan: Plan, description: RunDescription): Promise<StoredRun> {
  const { tensors: stored, metadata } = await readSafetensors(path);
  const tensors = withFormerDeviations(stored);
  const text = (key: string) => {
    const found = metadata[key];
    if (found === undefined) throw unexpected(path, `a training run (${key} in the metadata)`, 'none');
    return found;
  };
  requireSame(path, parseJson(text(keys.run), `${path}: ${keys.run}`), JSON.parse(JSON.stringify(description)));
  const progress = checkedJson(progressSchema, text(keys.progress), `${path}: ${keys.progress}`);
  const pick = (name: string, shape: readonly number[]) => pickTensor(path, name, shape, tensors.get(name));
  const state: State = new Map(
    [...stateShapes(plan, description.config)].map(([name, shape]) => [name, pick(name, shape)]),
  );
  const best = () => new Map(tensorsOf(plan).map(({ name, shape }) => [name, pick(bestName(name), shape)]));
  const hasBest = bestEpoch(progress.history) > 0;
  return {
    snapshot: { ...progress, state, best: hasBest ? best() : undefined },
    engine: text(keys.engine),
    steps: stepsIn(path, metadata),
  };
}

/** Converts old deviations, in the run's state and in its best epoch. */
function withFormerDeviations(stored: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> {
  const ofBest = [...stored].flatMap(([name, tensor]) =>
    name.startsWith(bestName('')) ? [[name.slice(bestName('').length), tensor] as const] : [],
  );
  const best = [...withDeviations(new Map(ofBest))].map(([name, tensor]) => [bestName(name), tensor] as const);
  return new Map([...withDeviations(stored), ...best]);
}

const bestName = (tensor: string): string => `best/${tensor}`;

/**
 * Requires that a stored run is the same as the current one.
 *
 * @param stored the description as it was read
 * @throws UserError naming the file and the first setting that differs
 */
export function requireSame(path: string, stored: unknown, now: unknown): void {
  const free = differsFreely(stored, now);
  // The order matters: different settings give different samples, and these a different network.
  for (const part of ['config', 'data', 'sha256', 'network'] as const) {
    const difference = firstDifference(memberOf(stored, part), memberOf(now, part), part, free);
    if (difference) throw new UserError(`${path}: ${explain(difference, stored, now)}`);
  }
}

type Difference = readonly [where: string, before: unknown, after: unknown];

function explain([where, before, after]: Difference, stored: unknown, now: unknown): string {
  const startOver = 'leave out --resume to start over';
  if (memberOf(now, 'network', 'fills') !== undefined && memberOf(stored, 'network', 'fills') === undefined) {
    return `expected a run whose network fills the gaps of its data, got one from before networks did, which cannot go on; bn-edge export takes its best.safetensors, ${startOver}`;
  }
  if (where === 'sha256') return `expected the samples that the run was started with, got others; ${startOver}`;
  const show = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return `expected ${where} ${show(before)}, as the run was started with, got ${show(after)}; ${startOver}`;
}

const memberOf = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce((found, key) => (isObject(found) ? found[key] : undefined), value);

/**
 * Returns the members that may differ. Data may have been renamed or moved, and the network is named after them; their
 * checksum shows that they are the same.
 */
function differsFreely(stored: unknown, now: unknown): readonly string[] {
  const names = ['network.name', 'data.name', 'data.source.path'];
  const areSame = isObject(stored) && isObject(now) && stored['sha256'] === now['sha256'];
  return areSame ? [...names, 'data.source'] : names;
}

/** Returns where two JSON values first differ outside the free members, and both values there. */
function firstDifference(a: unknown, b: unknown, where: string, free: readonly string[]): Difference | undefined {
  if (free.includes(where)) return undefined;
  if (!isObject(a) || !isObject(b)) return a === b ? undefined : [where, a, b];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], `${where}.${key}`, free);
    if (found) return found;
  }
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
