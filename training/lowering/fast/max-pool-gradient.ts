/**
 * The gradient of 2 × 2 max pooling without indices, for a runtime that cannot scatter.
 *
 *     Reshape(ScatterElements(0, indices of the maxima, dY))     becomes     comparisons of the elements of each window
 *
 * With x₀ x₁ in the upper and x₂ x₃ in the lower row of a window, the cotangent goes first to one row, then to one of
 * its elements. The first of equal elements takes all:
 *
 *     d₀₁ = d · 1[max(x₀, x₁) ≥ max(x₂, x₃)]     d₀ = d₀₁ · 1[x₀ ≥ x₁]     d₁ = d₀₁ − d₀
 *     d₂₃ = d − d₀₁                              d₂ = d₂₃ · 1[x₂ ≥ x₃]     d₃ = d₂₃ − d₂
 *
 * `fix/max-pool-gradient-windows.ts` takes windows of other kinds, with more arithmetic. On the CPU it is faster to
 * scatter: a step of a convolutional network without Batch Norm takes 0.87 of the time without this pass (0.89 in
 * WebAssembly), so only WebGPU has it. Pooled blocks (`pooled-conv/`) route in the same way, over corners that they
 * have already.
 */
import { type GraphBuilder, knownSizes, type OpNode, sameShape, sizesOf, type Value } from '../../graph/index.ts';
import { atLeast } from './indicator.ts';
import { type Operand, patterns } from '../pattern.ts';
import { replacing, rule } from '../rewrite.ts';

const { Expand, MaxPool, Reshape, ScatterElements } = patterns;

/**
 * Matches dX of Y = maxpool(X), as the rule of MaxPool writes it: each window's dY goes to the element that its index
 * names.
 */
export const routingOf = <X extends Operand>(X: X) =>
  Reshape(
    ScatterElements(Expand(0), Reshape(MaxPool(X).output(1).as('pool')), Reshape('dY'), { axis: 0 }).as('scatter'),
  )
    .as('routed')
    .where(({ routed, pool }) => sameShape(routed.outputs[0].shape, pool.inputs[0].shape));

export const maxPoolGradient = replacing(
  rule(routingOf('X'), (g, { X, dY, pool }) => (tilesInTwos(pool) ? emitRouting(g, X, dY) : undefined)),
);

/** Is true for windows of 2 × 2 that neither overlap nor leave a pixel out. */
export function tilesInTwos({ inputs: [X], attributes: { kernel_shape, strides, pads } }: OpNode<'MaxPool'>): boolean {
  const isEven = X.shape.slice(2).every((size) => typeof size === 'number' && size % 2 === 0);
  return isEven && [...kernel_shape, ...strides].every((size) => size === 2) && pads.every((pad) => pad === 0);
}

/** `X [N, C, H, W]`, `dY [N, C, H/2, W/2]` -> `[N, C, H, W]` */
function emitRouting(g: GraphBuilder, X: Value, dY: Value): Value {
  const corners = mapCorners([0, 1, 2, 3], (corner) => everySecond(g, X, corner));
  const [x0, x1, x2, x3] = corners;
  const [d0, d1, d2, d3] = route(g, dY, corners, [g.Max(x0, x1), g.Max(x2, x3)]);
  return g.Reshape(g.Concat(sideBySide(g, d0, d1), sideBySide(g, d2, d3), { axis: 3 }), g.ints(knownSizes(X.shape)));
}

/** The four elements of a window, in row-major order. */
export type Corners<T> = readonly [T, T, T, T];

export const mapCorners = <T, R>([a, b, c, d]: Corners<T>, f: (corner: T) => R): Corners<R> => [f(a), f(b), f(c), f(d)];

/**
 * Emits the cotangent of each element of the windows.
 *
 * @param d the cotangent of each window's maximum
 * @param corners the windows' elements
 * @param rows the larger element of each of their rows
 */
export function route(
  g: GraphBuilder,
  d: Value,
  [x0, x1, x2, x3]: Corners<Value>,
  rows: readonly [upper: Value, lower: Value],
): Corners<Value> {
  const upper = g.Mul(d, atLeast(g, ...rows));
  const lower = g.Sub(d, upper);
  const [d0, d2] = [g.Mul(upper, atLeast(g, x0, x1)), g.Mul(lower, atLeast(g, x2, x3))];
  return [d0, g.Sub(upper, d0), d2, g.Sub(lower, d2)];
}

/** Cuts out the upper left, upper right, lower left or lower right element of each window. */
function everySecond(g: GraphBuilder, X: Value, corner: number): Value {
  const ends = knownSizes(X.shape.slice(2));
  return g.Slice(X, g.ints([corner >> 1, corner & 1]), g.ints(ends), g.ints([2, 3]), g.ints([2, 2]));
}

/** Joins the cotangents of a row of each window, the left element beside the right: `[N, C, H/2, 1, W]`. */
function sideBySide(g: GraphBuilder, left: Value, right: Value): Value {
  const [N, C, rows, windows] = sizesOf(left, 4);
  const columns = [left, right].map((column) => g.Reshape(column, g.ints([N, C, rows, windows, 1])));
  return g.Reshape(g.Concat(...columns, { axis: 4 }), g.ints([N, C, rows, 1, 2 * windows]));
}
