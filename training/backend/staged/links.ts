/** Finds the nodes that produce and read a value. Reshaped views of a value count as the value itself. */
import type { Node, Value } from '../../graph/index.ts';

export interface Links {
  /** Returns the value in memory that this one is a reshaped view of. */
  readonly rootOf: (value: Value) => Value;
  readonly producerOf: (value: Value) => Node | undefined;
  readonly consumersOf: (root: Value) => readonly Node[];
}

export const isReshape = ({ op }: Node): boolean => op === 'Reshape' || op === 'Flatten';

export function linksOf(nodes: readonly Node[]): Links {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map(({ name }: Value) => [name, node] as const)));
  const rootOf = (value: Value): Value => {
    const node = producers.get(value.name);
    return node && isReshape(node) ? rootOf(node.inputs[0]) : value;
  };
  const consumers = new Map<string, Node[]>();
  for (const node of nodes) {
    if (isReshape(node)) continue;
    for (const value of node.inputs as readonly (Value | undefined)[]) {
      if (!value || value.constant) continue;
      const { name } = rootOf(value);
      consumers.set(name, [...(consumers.get(name) ?? []), node]);
    }
  }
  return {
    rootOf,
    producerOf: (value) => producers.get(rootOf(value).name),
    consumersOf: ({ name }) => consumers.get(name) ?? [],
  };
}
