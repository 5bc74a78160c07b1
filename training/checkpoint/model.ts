/**
 * Loads and saves trained networks. A checkpoint is a safetensors file with PyTorch's names (`conv1.weight`,
 * `bn1.running_mean`, …); its metadata hold the network's description, the classes and the record of the run. A
 * checkpoint that PyTorch wrote under the same names has no description: the caller then provides the network.
 */
import * as z from 'zod';
import { at } from '../arrays/index.ts';
import { readSafetensors, type Safetensors, type Tensor as StoredTensor, writeSafetensors } from './checkpoint.ts';
import { type Column, columnSchema, inputsOf } from '../columns/index.ts';
import { pictureSchema } from '../data/index.ts';
import type { PicturePreparation } from '../pictures/index.ts';
import { checkedJson, oneLine, parseJson, printable, quote, unexpected, UserError, validated } from '../files/index.ts';
import { formatShape, GraphError, sameShape, type Tensor } from '../graph/index.ts';
import {
  layersOf,
  type Network,
  networkSchema,
  outputShapeOf,
  type Plan,
  planNetwork,
  tensorsOf,
} from '../network/index.ts';
import { type Objective, objectiveOfOutputs } from '../objective/index.ts';
import type { State } from '../trainer/index.ts';
import { historySchema } from './history.ts';
import { underOurNames, withInputOf, withoutBiasesBeforeBatchNorm } from './pytorch.ts';
import { recordSchema, storedRecord, type TrainingRecord } from './record.ts';

export interface TrainedModel {
  readonly plan: Plan;
  readonly tensors: State;
  /** The classes; none where the network predicts numbers. */
  readonly classes: readonly string[];
  /** For tables: what the inputs mean, and what replaces missing values. */
  readonly columns?: readonly Column[] | undefined;
  /** The preparation that turns pictures into inputs; undefined where the inputs are not pictures. */
  readonly picture?: PicturePreparation | undefined;
  /**
   * The number of mini-batches that the running statistics have seen, the minimum over all layers; 0 where the file
   * does not say.
   */
  readonly batches?: number;
  /** The record of the training; undefined for a checkpoint of another program. */
  readonly record: TrainingRecord | undefined;
}

const keys = {
  network: 'bn_edge.network',
  classes: 'bn_edge.classes',
  columns: 'bn_edge.columns',
  picture: 'bn_edge.picture',
  record: 'bn_edge.record',
} as const;

/** Returns what the network was trained for. For a checkpoint of another program it is inferred from the outputs. */
export function objectiveOf({ plan, classes, record }: Pick<TrainedModel, 'plan' | 'classes' | 'record'>): Objective {
  return record?.config.objective ?? objectiveOfOutputs(classes.length, at(outputShapeOf(plan), 0));
}

/**
 * Writes a model to a checkpoint.
 *
 * @throws UserError when the file cannot be written; a previous one is then untouched
 */
export async function saveModel(path: string, model: TrainedModel): Promise<void> {
  const { tensors, metadata } = storedModel(model);
  await writeSafetensors(path, tensors, metadata);
}

/** Returns the tensors and metadata that a model's file holds. */
export function storedModel(model: TrainedModel): Safetensors {
  const { plan, tensors, classes, columns, picture, record } = model;
  const batches = record ? record.steps + (record.config.bnBatches ?? 0) : (model.batches ?? 0);
  const stored = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of tensors) stored.set(name, { dtype: 'F32', shape, data });
  for (const { name, layer } of layersOf(plan)) {
    if (layer.kind !== 'batchNorm') continue;
    stored.set(`${name}.num_batches_tracked`, { dtype: 'I64', shape: [], data: BigInt64Array.of(BigInt(batches)) });
  }
  const metadata = {
    [keys.network]: JSON.stringify(plan.network),
    [keys.classes]: JSON.stringify(classes),
    ...(columns && { [keys.columns]: JSON.stringify(columns) }),
    ...(picture && { [keys.picture]: JSON.stringify(picture) }),
    ...(record && { [keys.record]: JSON.stringify(storedRecord(record, objectiveOf(model))) }),
  };
  return { tensors: stored, metadata };
}

/**
 * Reads a model from a checkpoint.
 *
 * @param network describes a checkpoint without a description of its own
 * @throws UserError naming the file and the tensor or description that is missing or does not fit
 */
export async function loadModel(path: string, network?: Network): Promise<TrainedModel> {
  return modelFrom(await readSafetensors(path), path, network);
}

/**
 * Makes a model from the content of a checkpoint.
 *
 * @throws UserError as `loadModel` does
 */
export function modelFrom({ tensors, metadata }: Safetensors, path: string, network?: Network): TrainedModel {
  const description = metadata[keys.network];
  const where = `${path}: ${keys.network}`;
  const described = description === undefined ? network : checkedJson(networkSchema, description, where);
  if (!described) throw unexpected(path, `a description of the network in the metadata (${keys.network})`, 'none');
  if (description === undefined) return loadForeign(path, described, tensors);
  const metadatum = <S extends z.ZodType>(key: keyof typeof keys, schema: S) => {
    const [where, text] = [`${path}: ${keys[key]}`, metadata[keys[key]]];
    return text === undefined ? undefined : validated(schema, parseJson(text, where), where);
  };
  const columns = metadatum('columns', z.array(columnSchema).readonly());
  const plan = planOrExplain(path, withFills(described, columns));
  const picture = metadatum('picture', pictureSchema);
  const record = metadatum('record', recordSchema);
  return {
    plan,
    tensors: pickTensors(path, plan, withDeviations(tensors)),
    batches: batchesOf(plan, tensors),
    classes: metadatum('classes', z.array(z.string())) ?? [],
    ...(columns && { columns }),
    ...(picture && { picture }),
    record: record && { ...record, history: historySchema.parse(record.history) },
  };
}

/**
 * Adds the fills of gaps to the network. Checkpoints from before networks had fills hold them only in their columns,
 * one for each number.
 */
export function withFills(network: Network, columns: readonly Column[] = []): Network {
  const isKnown = network.fills !== undefined || columns.every(({ fill }) => fill === null);
  return isKnown ? network : { ...network, fills: inputsOf(columns).map(({ fill }) => fill) };
}

function loadForeign(path: string, network: Network, tensors: ReadonlyMap<string, StoredTensor>): TrainedModel {
  const plan = planOrExplain(path, withInputOf(network, tensors));
  const ours = withoutBiasesBeforeBatchNorm(plan, withDeviations(underOurNames(plan, tensors)));
  return {
    plan,
    tensors: pickTensors(path, plan, ours),
    batches: batchesOf(plan, ours),
    classes: [],
    record: undefined,
  };
}

function batchesOf(plan: Plan, stored: ReadonlyMap<string, StoredTensor>): number {
  const counts = layersOf(plan).flatMap(({ name, layer }) =>
    layer.kind === 'batchNorm' ? [Number(stored.get(`${name}.num_batches_tracked`)?.data[0] ?? 0)] : [],
  );
  return counts.length > 0 ? Math.min(...counts) : 0;
}

function planOrExplain(path: string, network: Network): Plan {
  try {
    return planNetwork(network);
  } catch (error) {
    if (error instanceof GraphError) throw new UserError(`${path}: ${oneLine(error.message)}`, { cause: error });
    throw error;
  }
}

function pickTensors(path: string, plan: Plan, stored: ReadonlyMap<string, StoredTensor>): State {
  const wanted = tensorsOf(plan);
  const known = new Set([
    ...wanted.map(({ name }) => name),
    ...layersOf(plan).map(({ name }) => `${name}.num_batches_tracked`),
  ]);
  const extra = [...stored.keys()].sort().find((name) => !known.has(name));
  if (extra !== undefined) {
    const names = wanted.slice(0, 3).map(({ name }) => name);
    throw unexpected(
      `${path}: tensor ${quote(extra)}`,
      `the names of ${printable(plan.network.name)}, ${names.join(', ')}, …`,
      'another',
    );
  }
  return new Map(wanted.map(({ name, shape }) => [name, pickTensor(path, name, shape, stored.get(name))]));
}

export function pickTensor(
  path: string,
  name: string,
  shape: readonly number[],
  tensor: StoredTensor | undefined,
): Tensor<'float32'> {
  const expected = `a tensor ${name} F32 ${formatShape(shape)}`;
  if (!tensor) throw unexpected(path, expected, 'none');
  if (tensor.dtype !== 'F32' || !sameShape(tensor.shape, shape)) {
    throw unexpected(path, expected, `${tensor.dtype} ${formatShape(tensor.shape)}`);
  }
  return { dtype: 'float32', shape, data: tensor.data };
}

const formerEpsilons = { input: 1e-5, target: 0 } as const;

/**
 * Converts the data statistics of old checkpoints, which stored σ² as `input.var` and `target.var`; the network used
 * √(σ² + 1e-5) and √σ². The deviations are computed in float32, as the graph did, so the network gives the same bits.
 */
export function withDeviations(stored: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map(stored);
  for (const [what, epsilon] of Object.entries(formerEpsilons)) {
    const variance = stored.get(`${what}.var`);
    if (variance?.dtype !== 'F32' || stored.has(`${what}.std`)) continue;
    const deviation = variance.data.map((sigma2) => Math.sqrt(Math.fround(sigma2 + Math.fround(epsilon))));
    tensors.delete(`${what}.var`);
    tensors.set(`${what}.std`, { ...variance, data: deviation });
  }
  return tensors;
}
