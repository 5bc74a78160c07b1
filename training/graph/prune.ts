/** Finds what a set of results depends on. */
import type { Node } from './ops.ts';
import type { Value } from './types.ts';

/** Returns the values that a node reads, including those that its body captures. */
export function readsOf(node: Node): readonly Value[] {
  const inputs: readonly (Value | undefined)[] = node.inputs;
  const direct = inputs.filter((value) => value !== undefined);
  if (node.op !== 'Loop') return direct;
  const { body } = node.attributes;
  const own = new Set([...body.inputs, ...body.nodes.flatMap(({ outputs }) => outputs)].map(({ name }) => name));
  const captured = [...body.nodes.flatMap(readsOf), ...body.outputs].filter(({ name }) => !own.has(name));
  return [...direct, ...captured];
}

/** Returns the nodes that `results` need, in order, and the names of all values that are read. */
export function liveNodes(
  nodes: readonly Node[],
  results: readonly Value[],
): { readonly nodes: readonly Node[]; readonly used: ReadonlySet<string> } {
  const used = new Set(results.map(({ name }) => name));
  const live = nodes.toReversed().filter((node) => {
    if (!node.outputs.some(({ name }) => used.has(name))) return false;
    for (const { name } of readsOf(node)) used.add(name);
    return true;
  });
  return { nodes: live.reverse(), used };
}
