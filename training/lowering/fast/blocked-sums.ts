/**
 * Sums of large tensors in one pass over memory, with what is done to each of their elements before and after. Here they are
 * recognized; `sum-convolution.ts` says what becomes of them.
 */
import { elementCount } from '../../files/index.ts';
import { type GraphBuilder, type OpNode, type OpType, sameShape, type Value } from '../../graph/index.ts';
import { producer } from '../match.ts';
import { type Readers, readersOf } from './readers.ts';
import { type Pass, type Replace, rewrite } from '../rewrite.ts';
import { emitSum, fillsBlocks, type Sum } from './sum-convolution.ts';

interface Context<O extends OpType = OpType> {
  /** The node as it was, for `readers`. */
  readonly original: OpNode<O>;
  readonly readers: Readers;
  /** The sums so far, by the name of y. */
  readonly emitted: ReadonlyMap<string, Sum>;
}

type MatchSum<O extends OpType> = (g: GraphBuilder, node: OpNode<O>, context: Context<O>) => Sum | undefined;

/** @param b the processor's block of channels */
export const blockedSums =
  (b: number): Pass =>
  (graph) => {
    const readers = readersOf(graph);
    const emitted = new Map<string, Sum>();
    const asConvolution =
      <O extends OpType>(match: MatchSum<O>): Replace<O> =>
      (g, node, original) => {
        const sum = match(g, node, { original, readers, emitted });
        if (!sum || !fillsBlocks(sum, b)) return undefined;
        const y = emitSum(g, sum, b);
        emitted.set(y.name, sum);
        return [y];
      };
    return rewrite(graph, {
      Add: asConvolution(matchAdd),
      Sub: asConvolution(matchSub),
      Relu: asConvolution(matchRelu),
      HardSigmoid: asConvolution(matchHardSigmoid),
    });
  };

const matchAdd: MatchSum<'Add'> = (g, { inputs: [A, B] }, context) => {
  const [first, second] = [lineOf(g, A, context), lineOf(g, B, context)];
  if (isCoefficient(B, A)) return shifted(first, B);
  if (isCoefficient(A, B)) return shifted(second, A);
  const [a, b] = context.original.inputs;
  const saved = [passesSaved(first, a, b, context), passesSaved(second, b, a, context)] as const;
  if (!sameShape(A.shape, B.shape) || Math.max(...saved) === 0) return undefined;
  return saved[0] >= saved[1] ? { ...first, w: B } : { ...second, w: A };
};

const matchSub: MatchSum<'Sub'> = (g, { inputs: [A, B] }, context) => {
  const [a, b] = context.original.inputs;
  const line = productOf(g, B);
  if (!sameShape(A.shape, B.shape) || passesSaved(line, b, a, context) === 0) return undefined;
  return difference(g, A, line);
};

const matchRelu: MatchSum<'Relu'> = (g, { inputs: [X] }, context) => activated(g, X, { activation: 'Relu' }, context);

const matchHardSigmoid: MatchSum<'HardSigmoid'> = (g, { inputs: [X], attributes: { alpha, beta } }, context) =>
  activated(g, X, { activation: 'HardSigmoid', activation_params: [alpha, beta] }, context);

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

function activated(
  g: GraphBuilder,
  X: Value,
  activation: Sum['activation'],
  { original, readers, emitted }: Context<'Relu' | 'HardSigmoid'>,
): Sum | undefined {
  if (readers.count(original.inputs[0]) > 1) return undefined;
  const subtraction = producer(g, X, 'Sub');
  const sum = subtraction ? differenceOf(g, subtraction) : emitted.get(X.name);
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
