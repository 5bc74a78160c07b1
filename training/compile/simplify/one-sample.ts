/**
 * A model answers each sample of a batch independently, so the program answers one sample, and a batch is a loop around
 * it. This file checks that a graph allows it: every value that depends on the batch has it as its first axis, and no
 * node moves anything along that axis.
 */
import { constantInts, type Graph, type Node, type Value } from '../../graph/index.ts';
import { CompileError, uncovered } from '../error.ts';
import { isElementwise } from '../expression/of-node.ts';

type Dim = string | number;

/**
 * The first axis of values that depend on the samples; a number where the file fixes it, and undefined in a graph
 * without a batch.
 */
export type Batch = Dim | undefined;

/** @throws CompileError for free dimensions elsewhere, and for a node that mixes samples */
export function batchOf(graph: Graph): Batch {
  const free = new Set(graph.inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === 'string')));
  const [name, ...others] = free;
  if (name === undefined) return fixedBatch(graph);
  if (others.length > 0) throw new CompileError(`expected one free dimension, the batch, got ${[...free].join(', ')}`);
  for (const { name: input, shape } of graph.inputs) {
    if (shape.indexOf(name) > 0 || shape.lastIndexOf(name) > 0)
      throw new CompileError(`${input}: expected ${name} as the first dimension, got [${shape.join(', ')}]`);
  }
  const objection = objectionTo(
    graph,
    graph.inputs.filter(({ shape }) => shape[0] === name),
  );
  if (objection) throw objection;
  return name;
}

/** Returns the size above 1 that all inputs share as their first axis, if the graph treats it as a batch. */
function fixedBatch(graph: Graph): Batch {
  const [size, ...others] = new Set(graph.inputs.map(({ shape }) => shape[0]));
  if (typeof size !== 'number' || size < 2 || others.length > 0) return undefined;
  return objectionTo(graph, graph.inputs) ? undefined : size;
}

function objectionTo(graph: Graph, inputs: readonly Value[]): CompileError | undefined {
  const batched = new Set(inputs.map(({ name }) => name));
  const isBatched = (value: Value | undefined): boolean => value !== undefined && batched.has(value.name);
  for (const node of graph.nodes) {
    if (!node.inputs.some(isBatched)) continue;
    if (!keepsSamplesApart(node, isBatched, inputs[0]?.shape[0]))
      return uncovered(node, 'expected each sample to be answered by itself, got an op across the batch');
    for (const { name } of node.outputs) batched.add(name);
  }
  return undefined;
}

/** Is true where each sample of the node's outputs depends only on the same sample of its inputs. */
function keepsSamplesApart(
  node: Node,
  isBatched: (value: Value | undefined) => boolean,
  size: Dim | undefined,
): boolean {
  const [out]: readonly Value[] = node.outputs;
  if (size === undefined || out?.shape[0] !== size) return false;
  if (typeof size === 'string' && out.shape.lastIndexOf(size) > 0) return false;
  const [first, second, third]: readonly (Value | undefined)[] = node.inputs;
  const rank = first?.shape.length ?? 0;
  const isAfterFirst = (axis: number): boolean => (axis < 0 ? axis + rank : axis) > 0;
  /** Is true for an operand with its own axis of samples, or one that is the same for all samples. */
  const alignsWith = (value: Value | undefined): boolean =>
    value === undefined ||
    (isBatched(value)
      ? value.shape.length === out.shape.length
      : value.shape.length < out.shape.length || value.shape[0] === 1);
  if (isElementwise(node)) return node.inputs.every(alignsWith);
  switch (node.op) {
    case 'Concat':
      return node.inputs.every(isBatched) && isAfterFirst(node.attributes.axis);
    case 'Softmax':
    case 'ArgMax':
      return isAfterFirst(node.attributes.axis);
    case 'LayerNormalization':
      return isAfterFirst(node.attributes.axis) && !isBatched(second) && !isBatched(third);
    case 'ReduceMax':
    case 'ReduceMean':
    case 'ReduceSum':
      return constantInts('axes', node.inputs[1]).every(isAfterFirst);
    case 'Gemm':
      return isBatched(first) && !isBatched(second) && !node.attributes.transA && alignsWith(third);
    case 'MatMul':
      // [N, K] · [K, M], or stacks whose first axis is the batch.
      return rank === 2
        ? isBatched(first) && !isBatched(second) && second?.shape.length === 2
        : node.inputs.every(alignsWith);
    case 'Conv':
    case 'ConvTranspose':
      return !isBatched(second) && !isBatched(third);
    case 'BatchNormalization':
      return !node.inputs.slice(1).some(isBatched) && node.attributes.training_mode === 0;
    case 'Gather':
      return isBatched(first) ? !isBatched(second) && isAfterFirst(node.attributes.axis) : node.attributes.axis === 0;
    case 'Transpose':
      return node.attributes.perm[0] === 0;
    case 'Slice':
      return constantInts('axes', node.inputs[3]).every(isAfterFirst);
    case 'Pad': {
      const pads = constantInts('pads', node.inputs[1]);
      return pads[0] === 0 && pads[rank] === 0;
    }
    case 'Reshape':
    case 'Flatten':
      return first?.shape[0] === size;
    case 'Expand':
      return isBatched(first) && rank === out.shape.length;
    case 'MaxPool':
    case 'AveragePool':
      return isBatched(first);
    default:
      return false;
  }
}
