/**
 * Sums of large tensors in one pass over memory, together with the elementwise ops before and after them:
 *
 *     activation(Add(Add(Mul(x, s), t), w))     becomes     one convolution of one tap for each channel
 *
 * where s and t are single numbers, or one for each row. Any part may be missing, Sub may stand for Add, and factors
 * and terms may be in either order. This file recognizes such sums; `sum-convolution.ts` emits them and says why that
 * is faster.
 *
 * Gain: without it a step of mnist-cnn takes 1.03 times as long at batch 64, 1.09 times at batch 256, and 1.13 times as
 * an iteration of a Loop, which includes the optimizer (`npm run bench:lowering`).
 */
import { type OpNode, type OpType, sameShape, sizeIfKnown, type Value } from '../../graph/index.ts';
import { type GraphNodes, nodesOf } from '../nodes.ts';
import { patterns } from '../pattern.ts';
import { type Pass, type Replace, type Replacements, rewrite, type Rewriter } from '../rewrite.ts';
import { emitSum, fillsBlocks, type Sum } from './sum-convolution.ts';

const { Mul, Sub } = patterns;

/** Matches s x, where s is one number for all of x, or one for each row. */
const product = Mul('x', 's').where(({ x, s }) => isCoefficient(s, x));

/** Matches w − line, where a single node reads it. */
const difference = Sub('w', 'line')
  .where(({ w, line }) => sameShape(w.shape, line.shape))
  .once();

interface Context<O extends OpType = OpType> {
  /** The node before the pass, which `nodes` refers to. */
  readonly original: OpNode<O>;
  readonly nodes: GraphNodes;
  /** The sums emitted so far, by the name of y. */
  readonly emitted: ReadonlyMap<string, Sum>;
}

type MatchSum<O extends OpType> = (g: Rewriter, node: OpNode<O>, context: Context<O>) => Sum | undefined;

/** @param b the processor's block of channels */
export const blockedSums =
  (b: number): Pass =>
  (graph, onReplaced) => {
    const nodes = nodesOf(graph);
    const emitted = new Map<string, Sum>();
    const asConvolution =
      <O extends OpType>(match: MatchSum<O>): Replace<O> =>
      (g, node, original) => {
        const sum = match(g, node, { original, nodes, emitted });
        if (!sum || !fillsBlocks(sum, b)) return undefined;
        const y = emitSum(g, sum, b);
        emitted.set(y.name, sum);
        return [y];
      };
    const replacements: Replacements = {
      Add: asConvolution(matchAdd),
      Sub: asConvolution(matchSub),
      Relu: asConvolution(matchRelu),
      HardSigmoid: asConvolution(matchHardSigmoid),
    };
    return rewrite(graph, [replacements], onReplaced);
  };

/** Matches s x + t, s x + w and s x + t + w, in any order. */
const matchAdd: MatchSum<'Add'> = (g, { inputs: [A, B] }, context) => {
  const [first, second] = [lineOf(g, A, context), lineOf(g, B, context)];
  if (isCoefficient(B, A)) return shifted(first, B);
  if (isCoefficient(A, B)) return shifted(second, A);
  const [a, b] = context.original.inputs;
  const saved = [passesSaved(g, first, A, b, context), passesSaved(g, second, B, a, context)] as const;
  if (!sameShape(A.shape, B.shape) || Math.max(...saved) === 0) return undefined;
  return saved[0] >= saved[1] ? { ...first, w: B } : { ...second, w: A };
};

/** Matches w − s x. */
const matchSub: MatchSum<'Sub'> = (g, { inputs: [w, B] }, context) => {
  const line = productOf(g, B);
  const saved = passesSaved(g, line, B, context.original.inputs[0], context);
  return sameShape(w.shape, B.shape) && saved > 0 ? negated(g, w, line) : undefined;
};

const matchRelu: MatchSum<'Relu'> = (g, { inputs: [X] }, context) => activated(g, X, { activation: 'Relu' }, context);

const matchHardSigmoid: MatchSum<'HardSigmoid'> = (g, { inputs: [X], attributes: { alpha, beta } }, context) =>
  activated(g, X, { activation: 'HardSigmoid', activation_params: [alpha, beta] }, context);

/** Returns a value as s x + t, or as itself. */
function lineOf(g: Rewriter, value: Value, { emitted }: Context): Sum {
  const sum = emitted.get(value.name);
  return sum && !sum.w && !sum.activation ? sum : productOf(g, value);
}

const productOf = (g: Rewriter, value: Value): Sum => product.match(g, value) ?? { x: value };

const shifted = ({ s, t, x }: Sum, shift: Value): Sum | undefined => (s && !t ? { x, s, t: shift } : undefined);

/** Returns w − s x as a sum, whose factor is −s. */
const negated = (g: Rewriter, w: Value, { x, s }: Sum): Sum => ({ x, s: s ? g.Neg(s) : g.scalar(-1), w });

/**
 * Counts the passes over memory that line + w saves as one node: two, a write and a read, where the line is computed
 * for this sum alone; and one, a copy, where the sum may take w's memory.
 *
 * @param w the value before the pass
 */
function passesSaved(g: Rewriter, { s, t }: Sum, line: Value, w: Value, { original, nodes }: Context): number {
  const isFused = (s ?? t) !== undefined && g.reads(line) === 1;
  return 2 * Number(isFused) + Number(nodes.endsWith(w, original));
}

/** Returns activation(w − s x), or the activation of an emitted sum, where nothing else reads its argument. */
function activated(g: Rewriter, X: Value, activation: Sum['activation'], { emitted }: Context): Sum | undefined {
  const found = difference.match(g, X);
  if (found) return { ...negated(g, found.w, productOf(g, found.line)), activation };
  const sum = g.reads(X) === 1 ? emitted.get(X.name) : undefined;
  return sum && !sum.activation ? { ...sum, activation } : undefined;
}

/** Is true for a number for all of x, and for one for each row of a matrix. */
function isCoefficient({ shape }: Value, x: Value): boolean {
  const [rows, columns] = shape;
  const isPerRow = shape.length === 2 && x.shape.length === 2 && rows === x.shape[0] && columns === 1;
  return isPerRow || (sizeIfKnown(shape) === 1 && shape.length <= x.shape.length);
}
