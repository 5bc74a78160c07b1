/** Adapts reductions whose axes are attributes or omitted, and expresses further reductions by others. */
import { axesFromFront, type Foreign, int, range, type Rule } from './foreign.ts';

/**
 * Returns the axes of a reduction: they are an attribute before opset 13 or 18 and an input from then on. All axes
 * count where none is named.
 *
 * @returns undefined where the axes are computed, and the empty list where an attribute says that no axes means none
 */
function axesOf(node: Foreign): readonly number[] | undefined {
  const rank = node.shapeOf(node.x)?.length;
  const given = node.input(1);
  const axes = given === '' ? (node.intsOf('axes') ?? []) : node.numbersOf(given);
  if (rank === undefined || axes === undefined) return undefined;
  if (axes.length > 0) return axesFromFront(axes, rank);
  return node.intOf('noop_with_empty_axes', 0) === 1 ? [] : range(rank);
}

type Prepare = (node: Foreign, x: string) => string;
const unchanged: Prepare = (_node, x) => x;
const squared: Prepare = (node, x) => node.add('Mul', [x, x]);
const magnitude: Prepare = (node, x) => node.add('Max', [x, node.add('Neg', [x])]);

/** Emits after(reduction of before(x)). */
const reduced =
  (opType: string, before: Prepare = unchanged, after?: string): Rule =>
  (node) => {
    const axes = axesOf(node);
    if (!axes || !node.hasOnly('axes', 'keepdims', 'noop_with_empty_axes')) return false;
    const x = before(node, node.x);
    const inside = after === undefined ? [node.out] : undefined;
    const result =
      axes.length === 0
        ? node.add('Identity', [x], [], inside)
        : node.add(opType, [x, node.ints(axes)], [int('keepdims', node.intOf('keepdims', 1))], inside);
    return after === undefined || node.end(after, [result]);
  };

const overImage =
  (opType: string): Rule =>
  (node) => {
    const rank = node.shapeOf(node.x)?.length;
    if (rank === undefined) return false;
    return node.end(opType, [node.x, node.ints(range(rank).slice(2))]);
  };

export const reduction: Readonly<Record<string, Rule | undefined>> = {
  GlobalAveragePool: overImage('ReduceMean'),
  GlobalMaxPool: overImage('ReduceMax'),
  ReduceMean: reduced('ReduceMean'),
  ReduceMax: reduced('ReduceMax'),
  ReduceSum: reduced('ReduceSum'),
  ReduceMin: (node) =>
    node.dtypeOf(node.x) === 'float32' && reduced('ReduceMax', (_, x) => node.add('Neg', [x]), 'Neg')(node),
  ReduceSumSquare: reduced('ReduceSum', squared),
  ReduceL1: reduced('ReduceSum', magnitude),
  ReduceL2: reduced('ReduceSum', squared, 'Sqrt'),
  ReduceLogSum: reduced('ReduceSum', unchanged, 'Log'),
  // max x + log Σ e^(x − max x)
  ReduceLogSumExp: (node) => {
    const axes = axesOf(node);
    const shape = node.shapeOf(node.x);
    if (!shape || !axes?.length || node.dtypeOf(node.x) !== 'float32') return false;
    const along = node.ints(axes);
    const fold = (opType: string, of: string): string => node.add(opType, [of, along]);
    const largest = fold('ReduceMax', node.x);
    const sum = fold('ReduceSum', node.add('Exp', [node.add('Sub', [node.x, largest])]));
    const total = node.add('Add', [largest, node.add('Log', [sum])]);
    if (node.intOf('keepdims', 1) === 1) return node.end('Identity', [total]);
    return node.endReshaped(
      total,
      shape.filter((_, axis) => !axes.includes(axis)),
    );
  },
  ArgMin: (node) => {
    if (node.dtypeOf(node.x) !== 'float32' || !node.hasOnly('axis', 'keepdims')) return false;
    return node.end('ArgMax', [node.add('Neg', [node.x])], node.proto.attribute ?? []);
  },
  // (x − max x) − log Σ e^(x − max x)
  LogSoftmax: (node) => {
    const axes = node.ints([node.intOf('axis', -1)]);
    const fold = (opType: string, of: string): string => node.add(opType, [of, axes]);
    const below = node.add('Sub', [node.x, fold('ReduceMax', node.x)]);
    const sum = fold('ReduceSum', node.add('Exp', [below]));
    return node.end('Sub', [below, node.add('Log', [sum])]);
  },
};
