/**
 * Converts between the data's own units and the layers': raw samples in, answers in the unit of the targets out. The
 * statistics are those of the training set and are stored with the network, so that callers need not know them.
 */
import { at } from '../arrays/index.ts';
import { formatShape, GraphError, type GraphBuilder, type Value } from '../graph/index.ts';
import { numericColumns } from './row.ts';
import type { Network } from './schema.ts';
import type { TensorSpec } from './rule.ts';

/**
 * The tensors that are subtracted (`center`) and divided by (`spread`): μ and σ, or a median and an interquartile
 * range.
 */
export interface Statistics {
  readonly center: TensorSpec;
  readonly spread: TensorSpec;
}

const statistics = (name: string, shape: readonly number[]): Statistics => ({
  center: { name: `${name}.mean`, shape, role: { kind: 'mean' } },
  spread: { name: `${name}.std`, shape, role: { kind: 'deviation' } },
});

const robustStatistics = (name: string, shape: readonly number[]): Statistics => ({
  center: { name: `${name}.median`, shape, role: { kind: 'mean' } },
  spread: { name: `${name}.iqr`, shape, role: { kind: 'deviation' } },
});

/** Plans the statistics that normalize the raw inputs: for each feature or channel, or for each column with numbers. */
export function planInput(network: Network): Statistics | undefined {
  const { name, inputShape, inputNormalization, categories, unseen, fills, indicators, bins, edges } = network;
  const [channels, ...spatial] = inputShape;
  if (channels === undefined) throw new GraphError(`${name}: expected an input shape, got ${formatShape(inputShape)}`);
  for (const list of [categories, unseen, fills, edges]) {
    if (list && (list.length !== channels || spatial.length > 0)) {
      throw new GraphError(`${name}: expected ${list.length} columns, got ${formatShape(inputShape)}`);
    }
  }
  if (indicators?.some((column) => column >= channels || spatial.length > 0)) {
    throw new GraphError(`${name}: expected indicators of ${channels} columns, got ${indicators.join(', ')}`);
  }
  if (bins !== undefined && !edges) {
    throw new GraphError(`${name}: expected edges beside bins, as training finds them in rows of numbers, got none`);
  }
  if (edges?.some((ofColumn, column) => ofColumn.length > 0 && categories && at(categories, column) > 0)) {
    throw new GraphError(`${name}: expected edges of columns of numbers, got some of a column of categories`);
  }
  const features = categories ? [numericColumns(network).length] : inputShape;
  if (inputNormalization === 'none' || features[0] === 0) return undefined;
  if (inputNormalization === 'robust') return robustStatistics('input', features);
  return statistics('input', inputNormalization === 'feature' ? features : [channels, ...spatial.map(() => 1)]);
}

/** Plans μ and σ of the targets. */
export const planTarget = ({ standardizedTargets }: Network): Statistics | undefined =>
  standardizedTargets && statistics('target', [1]);

export type Tensors = ReadonlyMap<string, Value>;

/** Emits y = σ z + μ. */
export function emitTarget(g: GraphBuilder, target: Statistics | undefined, z: Value, tensors: Tensors): Value {
  if (!target) return z;
  return g.Add(g.Mul(z, valueOf(tensors, target.spread)), valueOf(tensors, target.center));
}

export function valueOf(tensors: Tensors, { name }: TensorSpec): Value {
  const value = tensors.get(name);
  if (!value) throw new Error(`internal: ${name} is not among the tensors`);
  return value;
}
