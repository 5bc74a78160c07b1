/** Renames values throughout a graph and the bodies inside it. */
import type { Graph, Node } from './ops.ts';
import { Value } from './types.ts';

type Part = Pick<Graph, 'nodes' | 'outputs'>;

export function renameValues(part: Part, names: ReadonlyMap<string, string>): Part {
  const renamed = new Map<string, Value>();
  const rename = (value: Value): Value => {
    const name = names.get(value.name);
    if (name === undefined) return value;
    const known = renamed.get(name) ?? new Value(name, value, value.constant);
    renamed.set(name, known);
    return known;
  };
  const renameNode = (node: Node): Node => {
    const inputs = node.inputs.map((value) => value && rename(value));
    const outputs = node.outputs.map(rename);
    if (node.op !== 'Loop') return { ...node, inputs, outputs } as Node;
    const { body } = node.attributes;
    return { ...node, inputs, outputs, attributes: { body: { ...body, ...renameValues(body, names) } } } as Node;
  };
  return { nodes: part.nodes.map(renameNode), outputs: part.outputs.map(rename) };
}
