/**
 * Between the data's own units and the layers': raw samples in, answers in the unit of the targets out. The statistics
 * are the training set's and are stored with the network, so that whoever asks it needs to know nothing of them.
 */
import { formatShape, GraphError, type GraphBuilder, type Value } from '../graph/index.ts';
import type { Network } from './schema.ts';
import type { TensorSpec } from './rule.ts';

/** What is subtracted and what is then divided by, as tensors of the network: μ and σ, or a median and an interquartile range. */
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

/** The columns that hold numbers, and not categories. */
const numericColumns = (categories: readonly number[]): readonly number[] =>
  [...categories.keys()].filter((column) => categories[column] === 0);

/** What normalizes the raw inputs: of each feature or channel, or of each column with numbers. */
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
  if (edges?.some((ofColumn, column) => ofColumn.length > 0 && (categories?.[column] ?? 0) > 0)) {
    throw new GraphError(`${name}: expected edges of columns of numbers, got some of a column of categories`);
  }
  const features = categories ? [numericColumns(categories).length] : inputShape;
  if (inputNormalization === 'none' || features[0] === 0) return undefined;
  if (inputNormalization === 'robust') return robustStatistics('input', features);
  return statistics('input', inputNormalization === 'feature' ? features : [channels, ...spatial.map(() => 1)]);
}

/** μ and σ of the targets. */
export const planTarget = ({ standardizedTargets }: Network): Statistics | undefined =>
  standardizedTargets && statistics('target', [1]);

/**
 * What the first layer takes: the numbers of a row, then their bins, then a place for each category of its other columns, then a place
 * for each number of which it is told whether it was missing.
 */
export function encodedShape(network: Pick<Network, keyof Encoding | 'inputShape'>): readonly number[] {
  const { inputShape, categories, edges = [], indicators = [] } = network;
  const bins = edges.reduce((sum, ofColumn) => sum + Math.max(ofColumn.length - 1, 0), 0);
  if (!categories && bins + indicators.length === 0) return inputShape;
  const [columns = 0] = inputShape;
  const numbers = categories ? numericColumns(categories).length : columns;
  return [numbers + bins + placesOf(network).length + indicators.length];
}

type Encoding = Pick<Network, 'categories' | 'unseen' | 'edges' | 'indicators'>;

type Tensors = ReadonlyMap<string, Value>;

/** @param x raw samples `[N, ..inputShape]`, numbers of any type; a category by its index */
export function emitInput(
  g: GraphBuilder,
  network: Network,
  input: Statistics | undefined,
  x: Value,
  tensors: Tensors,
): Value {
  const { categories, edges = [], indicators = [] } = network;
  const floats = x.dtype === 'float32' ? x : g.Cast(x, { to: 'float32' });
  const whole = emitFills(g, network, floats);
  const told = indicators.length > 0 ? [emitIndicators(g, indicators, floats)] : [];
  const take = (columns: readonly number[]) => g.Gather(whole, g.ints(columns), { axis: 1 });
  const bins = edges.some((ofColumn) => ofColumn.length > 1) ? [emitBins(g, edges, take)] : [];
  if (!categories) {
    const numbers = normalize(g, network, input, whole, tensors);
    return bins.length + told.length > 0 ? g.Concat(numbers, ...bins, ...told, { axis: 1 }) : numbers;
  }
  const numeric = numericColumns(categories);
  const numbers = numeric.length > 0 ? [normalize(g, network, input, take(numeric), tensors)] : [];
  const all = placesOf(network);
  const indices = () => take(all.map(({ column }) => column));
  const places =
    all.length > 0
      ? [
          oneHot(
            g,
            indices(),
            all.map(({ category }) => category),
          ),
        ]
      : [];
  return g.Concat(...numbers, ...bins, ...places, ...told, { axis: 1 });
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
function normalize(
  g: GraphBuilder,
  { inputNormalization }: Network,
  input: Statistics | undefined,
  x: Value,
  tensors: Tensors,
): Value {
  if (!input) return x;
  const z = g.Div(g.Sub(x, valueOf(tensors, input.center)), valueOf(tensors, input.spread));
  return inputNormalization === 'robust' ? g.scoped('robust', () => drawIn(g, z)) : z;
}

/**
 * s = z / √(1 + (z/3)²), which is nearly z where |z| is small and ±3 far out: Holzmüller et al., https://arxiv.org/abs/2407.04491.
 * Beyond 2²⁰ it is ±3 in float32 all the same, and squares would leave its range.
 */
function drawIn(g: GraphBuilder, z: Value): Value {
  const near = g.Clip(z, g.scalar(-(2 ** 20)), g.scalar(2 ** 20));
  const third = g.Div(near, g.scalar(3));
  return g.Div(near, g.Sqrt(g.Add(g.Mul(third, third), g.scalar(1))));
}

/**
 * For the i-th bin of a column, (x − eᵢ) / (eᵢ₊₁ − eᵢ) cut to [0, 1]: 1 for each bin that lies below x, 0 above, and how far x is in its
 * own. Gorishniy et al., https://arxiv.org/abs/2203.05556.
 */
function emitBins(
  g: GraphBuilder,
  edges: readonly (readonly number[])[],
  take: (columns: readonly number[]) => Value,
): Value {
  const bins = edges.flatMap((ofColumn, column) =>
    ofColumn.slice(1).map((upper, i) => ({ column, lower: ofColumn[i] ?? NaN, upper })),
  );
  const ofEach = (name: string, of: (bin: { readonly lower: number; readonly upper: number }) => number) =>
    g.initializer(name, { dtype: 'float32', shape: [bins.length], data: Float32Array.from(bins, of) });
  const x = take(bins.map(({ column }) => column));
  const lowers = ofEach('lower edges', ({ lower }) => lower);
  const widths = ofEach('bin widths', ({ lower, upper }) => upper - lower);
  return g.Clip(g.Div(g.Sub(x, lowers), widths), g.scalar(0), g.scalar(1));
}

/** 1 where the index is the place's own, else 0; an index that is no category's, such as NaN, is 0 everywhere. */
function oneHot(g: GraphBuilder, indices: Value, places: readonly number[]): Value {
  const data = Float32Array.from(places);
  const own = g.initializer('categories', { dtype: 'float32', shape: [data.length], data });
  return g.Cast(g.Equal(indices, own), { to: 'float32' });
}

interface Place {
  readonly column: number;
  readonly category: number;
}

/** A place for each category of each column that training has seen. */
function placesOf({ categories = [], unseen = [] }: Encoding): readonly Place[] {
  return categories.flatMap((count, column) => {
    const without = new Set(unseen[column]);
    const all = Array.from({ length: count }, (_, category) => ({ column, category }));
    return all.filter(({ category }) => !without.has(category));
  });
}

/** y = σ z + μ */
export function emitTarget(g: GraphBuilder, target: Statistics | undefined, z: Value, tensors: Tensors): Value {
  if (!target) return z;
  return g.Add(g.Mul(z, valueOf(tensors, target.spread)), valueOf(tensors, target.center));
}

function valueOf(tensors: Tensors, { name }: TensorSpec): Value {
  const value = tensors.get(name);
  if (!value) throw new Error(`internal: ${name} is not among the tensors`);
  return value;
}
