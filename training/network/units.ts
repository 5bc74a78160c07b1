/**
 * Between the data's own units and the layers': raw samples in, answers in the unit of the targets out. The statistics
 * are the training set's and are stored with the network, so that whoever asks it needs to know nothing of them.
 */
import { formatShape, GraphError, type GraphBuilder, type Value } from '../graph/index.ts';
import type { Network } from './schema.ts';
import type { TensorSpec } from './rule.ts';

/** μ and σ as tensors of the network. */
export interface Statistics {
  readonly mean: TensorSpec;
  readonly deviation: TensorSpec;
}

const statistics = (name: string, shape: readonly number[]): Statistics => ({
  mean: { name: `${name}.mean`, shape, role: { kind: 'mean' } },
  deviation: { name: `${name}.std`, shape, role: { kind: 'deviation' } },
});

/** The columns that hold numbers, and those that hold categories. */
function columnsOf(categories: readonly number[]) {
  const columns = [...categories.keys()];
  return {
    numeric: columns.filter((column) => categories[column] === 0),
    categorical: columns.filter((column) => categories[column] !== 0),
  };
}

/** μ and σ of the raw inputs: of each feature or channel, or of each column with numbers. */
export function planInput(network: Network): Statistics | undefined {
  const { name, inputShape, inputNormalization, categories, fills, indicators } = network;
  const [channels, ...spatial] = inputShape;
  if (channels === undefined) throw new GraphError(`${name}: expected an input shape, got ${formatShape(inputShape)}`);
  for (const list of [categories, fills]) {
    if (list && (list.length !== channels || spatial.length > 0)) {
      throw new GraphError(`${name}: expected ${list.length} columns, got ${formatShape(inputShape)}`);
    }
  }
  if (indicators?.some((column) => column >= channels || spatial.length > 0)) {
    throw new GraphError(`${name}: expected indicators of ${channels} columns, got ${indicators.join(', ')}`);
  }
  const features = categories ? [columnsOf(categories).numeric.length] : inputShape;
  if (inputNormalization === 'none' || features[0] === 0) return undefined;
  return statistics('input', inputNormalization === 'feature' ? features : [channels, ...spatial.map(() => 1)]);
}

/** μ and σ of the targets. */
export const planTarget = ({ standardizedTargets }: Network): Statistics | undefined =>
  standardizedTargets && statistics('target', [1]);

/**
 * What the first layer takes: the numbers of a row, then a place for each category of its other columns, then a place for each number
 * of which it is told whether it was missing.
 */
export function encodedShape({ inputShape, categories, indicators = [] }: Network): readonly number[] {
  if (!categories && indicators.length === 0) return inputShape;
  const [columns = 0] = inputShape;
  const places = categories?.reduce((width, count) => width + Math.max(count, 1), 0) ?? columns;
  return [places + indicators.length];
}

type Tensors = ReadonlyMap<string, Value>;

/** @param x raw samples `[N, ..inputShape]`, numbers of any type; a category by its index */
export function emitInput(
  g: GraphBuilder,
  network: Network,
  input: Statistics | undefined,
  x: Value,
  tensors: Tensors,
): Value {
  const { categories, indicators = [] } = network;
  const floats = x.dtype === 'float32' ? x : g.Cast(x, { to: 'float32' });
  const whole = emitFills(g, network, floats);
  const told = indicators.length > 0 ? [emitIndicators(g, indicators, floats)] : [];
  if (!categories) {
    const numbers = normalize(g, input, whole, tensors);
    return told.length > 0 ? g.Concat(numbers, ...told, { axis: 1 }) : numbers;
  }
  const { numeric, categorical } = columnsOf(categories);
  const take = (columns: readonly number[]) => g.Gather(whole, g.ints(columns), { axis: 1 });
  const numbers = numeric.length > 0 ? [normalize(g, input, take(numeric), tensors)] : [];
  const sources = categorical.flatMap((column) => new Array<number>(categories[column] ?? 0).fill(column));
  const places = sources.length > 0 ? [oneHot(g, take(sources), placesOf(categories))] : [];
  return g.Concat(...numbers, ...places, ...told, { axis: 1 });
}

/** What stands in for NaN in each column; NaN itself where nothing does. */
function emitFills(g: GraphBuilder, { fills = [] }: Network, x: Value): Value {
  if (fills.every((fill) => fill === null)) return x;
  const data = Float32Array.from(fills, (fill) => fill ?? NaN);
  return g.Where(g.IsNaN(x), g.initializer('fill', { dtype: 'float32', shape: [data.length], data }), x);
}

/** 1 where the number was missing, else 0. */
const emitIndicators = (g: GraphBuilder, columns: readonly number[], x: Value): Value =>
  g.Cast(g.IsNaN(g.Gather(x, g.ints(columns), { axis: 1 })), { to: 'float32' });

/** x̂ = (x − μ) / σ, which is as good for meters as for millimeters. */
function normalize(g: GraphBuilder, input: Statistics | undefined, x: Value, tensors: Tensors): Value {
  if (!input) return x;
  return g.Div(g.Sub(x, valueOf(tensors, input.mean)), valueOf(tensors, input.deviation));
}

/** 1 where the index is the place's own, else 0; an index that is no category's, such as NaN, is 0 everywhere. */
function oneHot(g: GraphBuilder, indices: Value, places: readonly number[]): Value {
  const data = Float32Array.from(places);
  const own = g.initializer('categories', { dtype: 'float32', shape: [data.length], data });
  return g.Cast(g.Equal(indices, own), { to: 'float32' });
}

/** 0 … K − 1 for each column of K categories. */
const placesOf = (categories: readonly number[]): readonly number[] =>
  categories.flatMap((count) => Array.from({ length: count }, (_, place) => place));

/** y = σ z + μ */
export function emitTarget(g: GraphBuilder, target: Statistics | undefined, z: Value, tensors: Tensors): Value {
  if (!target) return z;
  return g.Add(g.Mul(z, valueOf(tensors, target.deviation)), valueOf(tensors, target.mean));
}

function valueOf(tensors: Tensors, { name }: TensorSpec): Value {
  const value = tensors.get(name);
  if (!value) throw new Error(`internal: ${name} is not among the tensors`);
  return value;
}
