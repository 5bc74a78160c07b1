/**
 * Sums of large tensors in one pass over memory, with what is done to each of their elements before and after:
 *
 *     y = activation(s · x + t + w)
 *
 * where s and t are numbers, the same everywhere or one for each row. This is a convolution of one tap for each channel, whose
 * kernel for blocks of channels adds a bias and a tensor, applies an activation, and uses the processor's widest vectors; the
 * runtime's elementwise ops take a pass each, with narrow ones. Where nobody reads w any more, y takes its memory.
 */
import { elementCount } from '../element-count.ts';
import { type GraphBuilder, type Node, type OpNode, type OpType, sameShape, type Value } from '../graph/index.ts';
import { producer, scalarOf, sizes } from './match.ts';
import { type Readers, readersOf } from './readers.ts';
import { type Pass, rewrite } from './rewrite.ts';

/** Elements. Below this another node costs more than a pass. */
const large = 2 ** 14;

/** Of one row of the image that a tensor is seen as: many vectors for each call of the kernel, a few calls for each thread. */
const mostPixels = 1024;

/** Without s it is 1, without t or w they are 0. */
interface Sum {
  readonly x: Value;
  readonly s?: Value | undefined;
  readonly t?: Value | undefined;
  readonly w?: Value | undefined;
  readonly activation?:
    Pick<OpNode<'com.microsoft.nchwc.Conv'>['attributes'], 'activation' | 'activation_params'> | undefined;
}

interface Context {
  /** The node as it was, for `readers`. */
  readonly original: Node;
  readonly readers: Readers;
  /** The sums so far, by the name of y. */
  readonly emitted: ReadonlyMap<string, Sum>;
}

/** @param b the processor's block of channels */
export const blockedSums =
  (b: number): Pass =>
  (graph) => {
    const readers = readersOf(graph);
    const emitted = new Map<string, Sum>();
    return rewrite(graph, (g, node, original) => {
      const match = matchers[node.op] as ((...args: [GraphBuilder, Node, Context]) => Sum | undefined) | undefined;
      const sum = match?.(g, node, { original, readers, emitted });
      if (!sum || !fillsBlocks(sum, b)) return undefined;
      const y = emitSum(g, sum, b);
      emitted.set(y.name, sum);
      return [y];
    });
  };

const matchers: {
  readonly [O in OpType]?: (g: GraphBuilder, node: OpNode<O>, context: Context) => Sum | undefined;
} = {
  Add: (g, { inputs: [A, B] }, context) => {
    const [first, second] = [lineOf(g, A, context), lineOf(g, B, context)];
    if (isCoefficient(B, A)) return shifted(first, B);
    if (isCoefficient(A, B)) return shifted(second, A);
    const [a, b] = context.original.inputs as [Value, Value];
    const sums = [
      { sum: { ...first, w: B }, saved: passesSaved(first, a, b, context) },
      { sum: { ...second, w: A }, saved: passesSaved(second, b, a, context) },
    ].sort((one, other) => other.saved - one.saved);
    return sameShape(A.shape, B.shape) && sums[0] && sums[0].saved > 0 ? sums[0].sum : undefined;
  },

  Sub: (g, { inputs: [A, B] }, context) => {
    const [a, b] = context.original.inputs as [Value, Value];
    const line = productOf(g, B);
    if (!sameShape(A.shape, B.shape) || passesSaved(line, b, a, context) === 0) return undefined;
    return difference(g, A, line);
  },

  Relu: (g, { inputs: [X] }, context) => activated(g, X, { activation: 'Relu' }, context),

  HardSigmoid: (g, { inputs: [X], attributes: { alpha, beta } }, context) =>
    activated(g, X, { activation: 'HardSigmoid', activation_params: [alpha, beta] }, context),
};

/** A value as s x + t, or as itself. */
function lineOf(g: GraphBuilder, value: Value, { emitted }: Context): Sum {
  const sum = emitted.get(value.name);
  return sum && !sum.w && !sum.activation ? sum : productOf(g, value);
}

function productOf(g: GraphBuilder, value: Value): Sum {
  const [A, B] = producer(g, value, 'Mul')?.inputs ?? [];
  if (!A || !B) return { x: value };
  if (isCoefficient(B, A)) return { x: A, s: B };
  return isCoefficient(A, B) ? { x: B, s: A } : { x: value };
}

const shifted = ({ s, t, x }: Sum, shift: Value): Sum | undefined => (s && !t ? { x, s, t: shift } : undefined);

/** w − s x */
const difference = (g: GraphBuilder, w: Value, { x, s }: Sum): Sum => ({ x, s: s ? g.Neg(s) : g.scalar(-1), w });

/** By giving line + w at once: one to and fro for the line, if it is for this sum alone, and a copy if it may lie in w's memory. */
function passesSaved({ s, t }: Sum, line: Value, w: Value, { original, readers }: Context): number {
  const folded = (s ?? t) && readers.count(line) === 1;
  return 2 * Number(!!folded) + Number(readers.endsWith(w, original));
}

function activated(g: GraphBuilder, X: Value, activation: Sum['activation'], context: Context): Sum | undefined {
  const [x] = context.original.inputs;
  if (context.readers.count(x) > 1) return undefined;
  const subtraction = producer(g, X, 'Sub');
  const sum = subtraction ? differenceOf(g, subtraction) : context.emitted.get(X.name);
  return sum && !sum.activation ? { ...sum, activation } : undefined;
}

function differenceOf(g: GraphBuilder, { inputs: [A, B] }: OpNode<'Sub'>): Sum | undefined {
  return sameShape(A.shape, B.shape) ? difference(g, A, productOf(g, B)) : undefined;
}

/** A number for all of x, or one for each row of a matrix. */
function isCoefficient({ shape }: Value, x: Value): boolean {
  const [rows, columns] = shape;
  return (
    elementCount(shape) === 1 || (shape.length === 2 && x.shape.length === 2 && rows === x.shape[0] && columns === 1)
  );
}

/** A large tensor whose rows are whole blocks. */
function fillsBlocks(sum: Sum, b: number): boolean {
  const { dtype, shape } = sum.x;
  return dtype === 'float32' && elementCount(shape) >= large && elementCount(shape) % (rowsOf(sum) * b) === 0;
}

/** With coefficients of their own; one where all have the same. */
const rowsOf = ({ s, t }: Sum): number => Math.max(...[s, t].map((value) => (value ? elementCount(value.shape) : 1)));

function emitSum(g: GraphBuilder, sum: Sum, b: number): Value {
  const { x, s, t, w, activation } = sum;
  const channels = rowsOf(sum) * b;
  const image = imageOf(elementCount(x.shape), channels);
  const Y = g['com.microsoft.nchwc.Conv'](
    seenAs(g, x, image),
    repeated(g, s ?? g.scalar(1), [channels, 1, 1, 1]),
    t && repeated(g, t, [channels]),
    w && seenAs(g, w, image),
    { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: channels, ...activation },
  );
  return g.Reshape(Y, g.ints(sizes(x)));
}

/** `[1, channels, H, W]`: in blocks of channels the rows of a matrix lie one behind the other. */
function imageOf(size: number, channels: number): readonly number[] {
  const pixels = size / channels;
  const rows = Array.from({ length: pixels }, (_, i) => i + 1).find(
    (count) => pixels % count === 0 && pixels / count <= mostPixels,
  );
  return [1, channels, rows ?? pixels, pixels / (rows ?? pixels)];
}

/** A number for each row, or for all, as one for each channel: `[channels, ..]`. */
function repeated(g: GraphBuilder, value: Value, shape: readonly [channels: number, ...ones: number[]]): Value {
  const [channels] = shape;
  const rows = elementCount(value.shape);
  const number = scalarOf(value);
  if (number !== undefined) {
    const data = new Float32Array(channels).fill(number);
    return g.constant(`float32(${number})[${shape.join(',')}]`, { dtype: 'float32', shape, data });
  }
  if (rows === 1) return g.Expand(g.Reshape(value, g.ints([1])), g.ints(shape));
  const wide = g.Expand(g.Reshape(value, g.ints([rows, 1])), g.ints([rows, channels / rows]));
  return g.Reshape(wide, g.ints(shape));
}

/** The elements under another shape, which are where they were. */
function seenAs(g: GraphBuilder, x: Value, shape: readonly number[]): Value {
  if (sizes(x).join() === shape.join()) return x;
  const reshape = producer(g, x, 'Reshape');
  return reshape ? seenAs(g, reshape.inputs[0], shape) : g.Reshape(x, g.ints(shape));
}
