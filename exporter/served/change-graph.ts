/** Changes parts of a model's graph, and copies every other byte unchanged. */
import { GraphError, type onnx } from '../../training/graph/index.ts';
import { fieldOf, type Pieces, splice } from './splice.ts';

/** The field of a model that holds its graph: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto */
const GRAPH = 7;

/** Numbers the fields of a graph. */
export const graphFields = { node: 1, initializer: 5, input: 11, output: 12 } as const;

/**
 * Replaces the graph.
 *
 * @param change receives the bytes of the graph, and returns those that replace it
 * @throws GraphError if the file has several graphs, or messages that do not end where they say
 */
export function changeGraph(bytes: Uint8Array, change: (graph: Uint8Array) => Pieces): Uint8Array {
  try {
    return Buffer.concat(
      splice(bytes, GRAPH, (i, begin, end) => {
        if (i > 0) throw new Error('several graphs');
        return fieldOf(GRAPH, change(bytes.subarray(begin, end)));
      }),
    );
  } catch (cause) {
    if (cause instanceof GraphError) throw cause;
    throw new GraphError('expected one graph, and messages that end where they say', { cause });
  }
}

/**
 * Replaces nodes.
 *
 * @param graph what the bytes hold
 * @param change returns the parts of a graph that replace a node, or undefined to keep it
 * @param additions to the end of the graph
 * @throws GraphError if the file has several graphs, or messages that do not end where they say
 */
export const changeNodes = (
  bytes: Uint8Array,
  graph: onnx.IGraphProto,
  change: (node: onnx.INodeProto) => Pieces | undefined,
  additions: Uint8Array,
): Uint8Array =>
  changeGraph(bytes, (content) => [
    ...splice(content, graphFields.node, (i) => change(graph.node?.[i] ?? {})),
    additions,
  ]);

/**
 * Replaces stored tensors.
 *
 * @param graph what the bytes hold
 * @param change returns the parts of a graph that replace a stored tensor, or undefined to keep it
 * @throws GraphError if the file has several graphs, or messages that do not end where they say
 */
export const changeStored = (
  bytes: Uint8Array,
  graph: onnx.IGraphProto,
  change: (tensor: onnx.ITensorProto) => Pieces | undefined,
): Uint8Array =>
  changeGraph(bytes, (content) =>
    splice(content, graphFields.initializer, (i) => change(graph.initializer?.[i] ?? {})),
  );

/**
 * Replaces all outputs.
 *
 * @param outputs the new outputs, as parts of a graph
 * @throws GraphError if the file has several graphs, or messages that do not end where they say
 */
export const replaceOutputs = (bytes: Uint8Array, outputs: Uint8Array): Uint8Array =>
  changeGraph(bytes, (content) => [...splice(content, graphFields.output, () => []), outputs]);
