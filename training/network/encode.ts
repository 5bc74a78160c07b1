/** Encodes rows of a table, or other raw samples, as the first layer takes them. */
import { at } from '../arrays/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import { embeddingTensor } from './encoders.ts';
import { embeddingsOf, numericColumns, oneHotPlaces } from './row.ts';
import type { Network } from './schema.ts';
import { type Statistics, type Tensors, valueOf } from './units.ts';

/**
 * Emits the encoding of raw samples.
 *
 * @param x raw samples `[N, ..inputShape]`, numbers of any type; a category by its index
 */
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
  const gaps = indicators.length > 0 ? [emitIndicators(g, indicators, floats)] : [];
  const take = (columns: readonly number[]) => g.Gather(whole, g.ints(columns), { axis: 1 });
  const bins = edges.some((ofColumn) => ofColumn.length > 1) ? [emitBins(g, edges, take)] : [];
  if (!categories) {
    const numbers = normalize(g, network, input, whole, tensors);
    return bins.length + gaps.length > 0 ? g.Concat(numbers, ...bins, ...gaps, { axis: 1 }) : numbers;
  }
  const numeric = numericColumns(network);
  const numbers = numeric.length > 0 ? [normalize(g, network, input, take(numeric), tensors)] : [];
  return g.Concat(...numbers, ...bins, ...emitCategories(g, network, take, tensors), ...gaps, { axis: 1 });
}

type Take = (columns: readonly number[]) => Value;

/**
 * Emits the one-hot places of all columns without embedding, then each embedding: the row of its matrix that belongs to
 * the category, or zeros.
 */
function emitCategories(g: GraphBuilder, network: Network, take: Take, tensors: Tensors): readonly Value[] {
  const places = oneHotPlaces(network);
  const [columns, values] = [places.map(({ column }) => column), places.map(({ category }) => category)];
  const oneHots = places.length > 0 ? [oneHot(g, take(columns), values)] : [];
  const embedded = embeddingsOf(network).map((embedding) => {
    const { column, categories } = embedding;
    return g.scoped(`column ${column}`, () =>
      g.MatMul(oneHot(g, take([column]), categories), valueOf(tensors, embeddingTensor(embedding))),
    );
  });
  return [...oneHots, ...embedded];
}

/** Replaces NaN by the fill of its column; NaN stays where the column has none. */
function emitFills(g: GraphBuilder, { fills = [] }: Network, x: Value): Value {
  if (fills.every((fill) => fill === null)) return x;
  const data = Float32Array.from(fills, (fill) => fill ?? NaN);
  return g.Where(g.IsNaN(x), g.initializer('fill', { dtype: 'float32', shape: [data.length], data }), x);
}

/** Emits 1 where the number was missing, otherwise 0. */
const emitIndicators = (g: GraphBuilder, columns: readonly number[], x: Value): Value =>
  g.Cast(g.IsNaN(g.Gather(x, g.ints(columns), { axis: 1 })), { to: 'float32' });

/** Emits x̂ = (x − μ) / σ, so that the unit of the numbers does not matter. */
function normalize(
  g: GraphBuilder,
  { inputNormalization }: Network,
  input: Statistics | undefined,
  x: Value,
  tensors: Tensors,
): Value {
  if (!input) return x;
  const z = g.Div(g.Sub(x, valueOf(tensors, input.center)), valueOf(tensors, input.spread));
  return inputNormalization === 'robust' ? g.scoped('robust', () => smoothClip(g, z)) : z;
}

/**
 * Emits s = z / √(1 + (z/3)²), which is nearly z where |z| is small and approaches ±3: Holzmüller et al.,
 * https://arxiv.org/abs/2407.04491. Beyond 2²⁰ it is ±3 in float32 anyway, and squares could overflow, so z is clipped
 * there.
 */
function smoothClip(g: GraphBuilder, z: Value): Value {
  const near = g.Clip(z, g.scalar(-(2 ** 20)), g.scalar(2 ** 20));
  const third = g.Div(near, g.scalar(3));
  return g.Div(near, g.Sqrt(g.Add(g.Mul(third, third), g.scalar(1))));
}

/**
 * Emits (x − eᵢ) / (eᵢ₊₁ − eᵢ), clipped to [0, 1], for the i-th bin of a column: 1 for each bin below x, 0 for each bin
 * above x, and the position of x within its own bin. Gorishniy et al., https://arxiv.org/abs/2203.05556.
 */
function emitBins(g: GraphBuilder, edges: readonly (readonly number[])[], take: Take): Value {
  const bins = edges.flatMap((ofColumn, column) =>
    ofColumn.slice(1).map((upper, i) => ({ column, lower: at(ofColumn, i), upper })),
  );
  const ofEach = (name: string, of: (bin: { readonly lower: number; readonly upper: number }) => number) =>
    g.initializer(name, { dtype: 'float32', shape: [bins.length], data: Float32Array.from(bins, of) });
  const x = take(bins.map(({ column }) => column));
  const lowers = ofEach('lower edges', ({ lower }) => lower);
  const widths = ofEach('bin widths', ({ lower, upper }) => upper - lower);
  return g.Clip(g.Div(g.Sub(x, lowers), widths), g.scalar(0), g.scalar(1));
}

/**
 * Emits 1 where the index is the place's own, otherwise 0. An index of no category, such as NaN, gives zeros
 * everywhere.
 */
function oneHot(g: GraphBuilder, indices: Value, places: readonly number[]): Value {
  const data = Float32Array.from(places);
  const own = g.initializer('categories', { dtype: 'float32', shape: [data.length], data });
  return g.Cast(g.Equal(indices, own), { to: 'float32' });
}
