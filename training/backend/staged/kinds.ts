/** Decides which nodes of a graph are computed row by row, and which by the runtime. */
import { type Graph, type Node, type OpNode, sizeOf, type Value } from '../../graph/index.ts';
import { orderOf, rowFormOf, type RowNode, rowNodeOf } from '../../compile/index.ts';

/** Parts that are joined along pixels, and the Gather that reorders the result. */
export interface Placed {
  readonly concat: OpNode<'Concat'>;
  readonly gather: OpNode<'Gather'>;
}

export interface Kinds {
  /** Maps the name of a node to the key of its rows (`orderOf`). Nodes that the runtime computes are absent. */
  readonly rows: ReadonlyMap<string, string>;
  /** Maps the name of the Gather to its pair. */
  readonly placed: ReadonlyMap<string, Placed>;
  /** Returns the value in memory that this one is a reshaped view of. */
  readonly rootOf: (value: Value) => Value;
  readonly producerOf: (value: Value) => Node | undefined;
  readonly consumersOf: (root: Value) => readonly Node[];
}

export const isShape = ({ op }: Node): boolean => op === 'Reshape' || op === 'Flatten';

/**
 * @param large the number of elements that the largest tensor needs for rows to be worth a call of the runtime
 * @param alone the names of nodes that would be the only ones of their stage
 */
export function kindsOf({ nodes, outputs }: Graph, large: number, alone: ReadonlySet<string>): Kinds {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map(({ name }: Value) => [name, node] as const)));
  const rootOf = (value: Value): Value => {
    const node = makers.get(value.name);
    return node && isShape(node) ? rootOf(node.inputs[0]) : value;
  };
  const producerOf = (value: Value) => makers.get(rootOf(value).name);
  const consumers = new Map<string, Node[]>();
  for (const node of nodes) {
    if (isShape(node)) continue;
    for (const value of node.inputs as readonly (Value | undefined)[]) {
      if (!value || value.constant) continue;
      const { name } = rootOf(value);
      consumers.set(name, [...(consumers.get(name) ?? []), node]);
    }
  }
  const consumersOf = ({ name }: Value): readonly Node[] => consumers.get(name) ?? [];
  const results = new Set(outputs.map((value) => rootOf(value).name));

  const steps = new Map<string, RowNode>();
  const placed = new Map<string, Placed>();
  for (const node of nodes) {
    const step = rowNodeOf(node);
    if (!step) continue;
    const concat = node.op === 'Gather' ? producerOf(node.inputs[0]) : undefined;
    if (node.op === 'Gather' && concat?.op === 'Concat' && isReordered({ concat, gather: node })) {
      placed.set(node.name, { concat, gather: node });
      steps.set(node.name, { kind: 'place', form: formOf(node.outputs[0]) });
    } else steps.set(node.name, step);
  }

  /** Maps the name of each Concat of a pair to its Gather. */
  const reordering = new Map<string, Node>(
    [...placed.values()].map(({ concat, gather }) => [concat.name, gather as unknown as Node]),
  );
  const rows = new Map<string, string>();
  const computedBy = (value: Value): string | undefined => rows.get(producerOf(value)?.name ?? '');
  const isAllowed = (node: Node, order: string): boolean => {
    const step = steps.get(node.name);
    const [output] = node.outputs;
    if (step?.kind === 'gather') {
      const readers = consumersOf(output);
      const isFused = readers.every(
        (reader) => rows.get(reader.name) === order && steps.get(reader.name)?.kind !== 'gather',
      );
      return isFused && !results.has(output.name) && computedBy((node as OpNode<'Gather'>).inputs[0]) === undefined;
    }
    // A boolean takes one byte outside of a program, and four inside.
    const isInside = ({ name }: Value) =>
      !results.has(name) && consumersOf(output).every((reader) => rows.get(reader.name) === order);
    const isGiven = (value: Value) => value.constant !== undefined || computedBy(value) === order;
    const inputs = (node.inputs as readonly (Value | undefined)[]).filter((value) => value?.dtype === 'bool');
    if ((output.dtype === 'bool' && !isInside(output)) || !inputs.every((value) => value && isGiven(value)))
      return false;
    const pair = placed.get(node.name);
    return !pair || (pair.concat.inputs as readonly Value[]).every((part) => isMap(part, order));
  };
  const isMap = (value: Value, order: string): boolean => {
    const maker = producerOf(value);
    return maker !== undefined && steps.get(maker.name)?.kind === 'map' && rows.get(maker.name) === order;
  };
  const neighboursOf = (node: Node): readonly Node[] => [
    ...(placed.get(node.name)?.concat.inputs ?? node.inputs).flatMap((value: Value | undefined) => {
      const maker = value && producerOf(value);
      return maker ? [maker] : [];
    }),
    ...node.outputs.flatMap((value: Value) =>
      consumersOf(value).map((reader) => reordering.get(reader.name) ?? reader),
    ),
  ];

  // What is computed from parameters alone goes with the products that read it.
  const dropped = new Set([...alone, ...withoutLargeAncestors(nodes, producerOf, large)]);
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    rows.clear();
    for (const [name, step] of steps) {
      if (!dropped.has(name) && step.kind !== 'numbers') rows.set(name, orderOf(step.form.rows));
    }
    spreadToNumbers(nodes, steps, dropped, rows, neighboursOf);
    const small = nodes.filter(({ name }) => rows.has(name) && !dropped.has(name));
    for (const component of componentsOf(small, rows, neighboursOf)) {
      const maps = component.filter(({ name }) => steps.get(name)?.kind === 'map');
      const largest = Math.max(0, ...maps.map((node) => largestOf(node)));
      const out = largest < large ? component : component.filter((node) => !isAllowed(node, rows.get(node.name) ?? ''));
      for (const { name } of out) dropped.add(name);
      isChanged ||= out.length > 0;
    }
  }
  for (const name of [...placed.keys()]) if (!rows.has(name)) placed.delete(name);
  return { rows, placed, rootOf, producerOf, consumersOf };
}

/** Returns the names of nodes that are not large and depend on no large node. */
function withoutLargeAncestors(
  nodes: readonly Node[],
  producerOf: Kinds['producerOf'],
  large: number,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of nodes) {
    const makers = node.inputs.flatMap((value: Value | undefined) => (value && producerOf(value)) ?? []);
    if (largestOf(node) < large && makers.every(({ name }) => names.has(name))) names.add(node.name);
  }
  return names;
}

const formOf = (value: Value) => {
  const form = rowFormOf(value);
  if (!form) throw new Error(`internal: ${value.name} has no rows`);
  return form;
};

const largestOf = ({ inputs, outputs }: Node): number =>
  Math.max(...[...inputs, ...outputs].flatMap((value: Value | undefined) => (value ? [sizeOf(value.shape)] : [])));

/** Assigns nodes that compute one number for each row to the rows of their neighbours. */
function spreadToNumbers(
  nodes: readonly Node[],
  steps: ReadonlyMap<string, RowNode>,
  dropped: ReadonlySet<string>,
  rows: Map<string, string>,
  neighboursOf: (node: Node) => readonly Node[],
): void {
  const waiting = nodes.filter(({ name }) => steps.get(name)?.kind === 'numbers' && !dropped.has(name));
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const node of waiting) {
      const step = steps.get(node.name);
      if (rows.has(node.name) || step?.kind !== 'numbers') continue;
      const order = neighboursOf(node)
        .map(({ name }) => rows.get(name))
        .find((found) => found === orderOf(step.rows));
      if (order === undefined) continue;
      rows.set(node.name, order);
      isChanged = true;
    }
  }
}

function componentsOf(
  nodes: readonly Node[],
  rows: ReadonlyMap<string, string>,
  neighboursOf: (node: Node) => readonly Node[],
): readonly (readonly Node[])[] {
  const seen = new Set<string>();
  return nodes.flatMap((first) => {
    if (seen.has(first.name)) return [];
    const component: Node[] = [];
    const open = [first];
    seen.add(first.name);
    for (let node = open.pop(); node; node = open.pop()) {
      component.push(node);
      for (const next of neighboursOf(node)) {
        if (seen.has(next.name) || rows.get(next.name) !== rows.get(first.name)) continue;
        seen.add(next.name);
        open.push(next);
      }
    }
    return [component];
  });
}

/** Is true when the Gather moves each pixel of the joined images to exactly one place. */
function isReordered({ concat, gather }: Placed): boolean {
  const [, indices] = gather.inputs;
  const parts = concat.inputs as readonly Value[];
  const count = parts.reduce((sum, { shape }) => sum + Number(shape[1]), 0);
  const places = new Set(Array.from(indices.constant?.data ?? [], Number));
  const isImage = parts.every(({ shape, constant }) => shape.length === 3 && !constant);
  return (
    concat.attributes.axis === 1 && isImage && places.size === count && Number(gather.outputs[0].shape[1]) === count
  );
}
