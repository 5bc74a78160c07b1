/** A model with some nodes of its graph changed, and every other byte as it was. */
import { GraphError, type onnx } from '../../training/graph/index.ts';
import { fieldOf, type Pieces, splice } from './splice.ts';

/** Fields of a model and of a graph: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto */
const fields = { graph: 7, node: 1 } as const;

/**
 * @param graph what the bytes hold
 * @param change the parts of a graph that take the place of a node, if others do
 * @param additions what the graph gets at its end
 * @throws GraphError where the file has several graphs, or messages that do not end where they say
 */
export function changeNodes(
  bytes: Uint8Array,
  graph: onnx.IGraphProto,
  change: (node: onnx.INodeProto) => Pieces | undefined,
  additions: Uint8Array,
): Uint8Array {
  try {
    return Buffer.concat(
      splice(bytes, fields.graph, (i, begin, end) => {
        if (i > 0) throw new Error('several graphs');
        const nodes = splice(bytes.subarray(begin, end), fields.node, (i) => change(graph.node?.[i] ?? {}));
        return fieldOf(fields.graph, [...nodes, additions]);
      }),
    );
  } catch (cause) {
    if (cause instanceof GraphError) throw cause;
    throw new GraphError('expected one graph, and messages that end where they say', { cause });
  }
}
