/** Decides which nodes of a graph are computed row by row, and which by the runtime. */
import { present } from '../../arrays/index.ts';
import { rowKeyOf, rowFormOf, type RowNode, rowNodeOf } from '../../compile/index.ts';
import { type Graph, known, type Node, type OpNode, sizeOf, type Value } from '../../graph/index.ts';
import { type Links, linksOf } from './links.ts';

/** Parts that are joined along pixels, and the Gather that reorders the result. */
export interface Reassembly {
  readonly concat: OpNode<'Concat'>;
  readonly gather: OpNode<'Gather'>;
}

export interface Kinds extends Links {
  /** Maps the name of a node to the key of its rows (`rowKeyOf`). Nodes that the runtime computes are absent. */
  readonly rows: ReadonlyMap<string, string>;
  /** Maps the name of the Gather to its pair. */
  readonly reassembled: ReadonlyMap<string, Reassembly>;
}

/** What the choice depends on. It is made again and again, and `rows` is what has been chosen so far. */
interface Choice extends Links {
  /** Maps the names of nodes that could be computed row by row to what they do with a row. */
  readonly rowNodes: ReadonlyMap<string, RowNode>;
  readonly reassembled: ReadonlyMap<string, Reassembly>;
  /** The names of the values that are outputs of the graph. */
  readonly results: ReadonlySet<string>;
  readonly rows: Map<string, string>;
  readonly neighboursOf: (node: Node) => readonly Node[];
}

/**
 * Chooses the nodes that are computed row by row. At first these are all that could be; then the runtime takes back
 * those that do not pay, and those that it must compute because of that, until nothing changes.
 *
 * @param large the number of elements that the largest tensor needs for rows to be worth a call of the runtime
 * @param runtimeOnly the names of nodes that would be the only ones of their stage
 */
export function kindsOf(graph: Graph, large: number, runtimeOnly: ReadonlySet<string>): Kinds {
  const { nodes } = graph;
  const choice = choiceOf(graph);
  const { rowNodes, rows, neighboursOf, rootOf, producerOf, consumersOf } = choice;
  // What is computed from parameters alone goes with the products that read it.
  const dropped = new Set([...runtimeOnly, ...withoutLargeAncestors(nodes, producerOf, large)]);
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    rows.clear();
    for (const [name, rowNode] of rowNodes) {
      if (!dropped.has(name) && rowNode.kind !== 'numbers') rows.set(name, rowKeyOf(rowNode.form.rows));
    }
    spreadToNumbers(nodes, choice, dropped);
    const chosen = nodes.filter(({ name }) => rows.has(name));
    for (const component of componentsOf(chosen, rows, neighboursOf)) {
      const out = dismissed(choice, component, large);
      for (const { name } of out) dropped.add(name);
      isChanged ||= out.length > 0;
    }
  }
  const reassembled = new Map([...choice.reassembled].filter(([name]) => rows.has(name)));
  return { rootOf, producerOf, consumersOf, rows, reassembled };
}

function choiceOf({ nodes, outputs }: Graph): Choice {
  const links = linksOf(nodes);
  const { rootOf, producerOf, consumersOf } = links;
  const rowNodes = new Map<string, RowNode>();
  const reassembled = new Map<string, Reassembly>();
  for (const node of nodes) {
    const rowNode = rowNodeOf(node);
    if (!rowNode) continue;
    const pair = reassemblyOf(node, producerOf);
    if (pair) reassembled.set(node.name, pair);
    rowNodes.set(node.name, pair ? { kind: 'place', form: formOf(node.outputs[0]) } : rowNode);
  }
  /** Maps the name of each Concat of a pair to its Gather. */
  const reordering = new Map<string, Node>(
    [...reassembled.values()].map(({ concat, gather }) => [concat.name, gather as unknown as Node]),
  );
  const neighboursOf = (node: Node): readonly Node[] => [
    ...(reassembled.get(node.name)?.concat.inputs ?? node.inputs).flatMap(
      (value: Value | undefined) => (value && producerOf(value)) ?? [],
    ),
    ...node.outputs.flatMap((value: Value) =>
      consumersOf(value).map((reader) => reordering.get(reader.name) ?? reader),
    ),
  ];
  const results = new Set(outputs.map((value) => rootOf(value).name));
  return { ...links, rowNodes, reassembled, results, rows: new Map(), neighboursOf };
}

function reassemblyOf(node: Node, producerOf: Links['producerOf']): Reassembly | undefined {
  if (node.op !== 'Gather') return undefined;
  const concat = producerOf(node.inputs[0]);
  const pair = concat?.op === 'Concat' ? { concat, gather: node } : undefined;
  return pair && isReordered(pair) ? pair : undefined;
}

/** Returns the nodes of a component that the runtime computes after all: all where none is large. */
function dismissed(choice: Choice, component: readonly Node[], large: number): readonly Node[] {
  const maps = component.filter(({ name }) => choice.rowNodes.get(name)?.kind === 'map');
  if (Math.max(0, ...maps.map((node) => largestOf(node))) < large) return component;
  return component.filter((node) => !isAllowed(choice, node, present(choice.rows.get(node.name))));
}

/** Is true when a program of rows can compute the node, given what else has been chosen for these rows. */
function isAllowed(choice: Choice, node: Node, rowKey: string): boolean {
  const { rowNodes, reassembled, rows, results, producerOf, consumersOf } = choice;
  const [output] = node.outputs;
  const isRead = (by: (reader: Node) => boolean): boolean => !results.has(output.name) && consumersOf(output).every(by);
  const rowKeyOfProducer = (value: Value): string | undefined => {
    const producer = producerOf(value);
    return producer && rows.get(producer.name);
  };
  if (rowNodes.get(node.name)?.kind === 'gather') {
    // It is fused into its readers, which read its input from memory.
    const isFused = isRead(({ name }) => rows.get(name) === rowKey && rowNodes.get(name)?.kind !== 'gather');
    return isFused && rowKeyOfProducer((node as OpNode<'Gather'>).inputs[0]) === undefined;
  }
  // A boolean takes one byte outside of a program, and four inside.
  const isInside = output.dtype !== 'bool' || isRead(({ name }) => rows.get(name) === rowKey);
  const booleans = (node.inputs as readonly (Value | undefined)[]).filter((value) => value?.dtype === 'bool');
  const isGiven = (value: Value | undefined) =>
    value !== undefined && (value.constant !== undefined || rowKeyOfProducer(value) === rowKey);
  if (!isInside || !booleans.every(isGiven)) return false;
  const isMap = (value: Value): boolean => {
    const producer = producerOf(value);
    return producer !== undefined && rowNodes.get(producer.name)?.kind === 'map' && rows.get(producer.name) === rowKey;
  };
  const pair = reassembled.get(node.name);
  return !pair || (pair.concat.inputs as readonly Value[]).every(isMap);
}

/** Returns the names of nodes that are not large and depend on no large node. */
function withoutLargeAncestors(
  nodes: readonly Node[],
  producerOf: Kinds['producerOf'],
  large: number,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of nodes) {
    const producers = node.inputs.flatMap((value: Value | undefined) => (value && producerOf(value)) ?? []);
    if (largestOf(node) < large && producers.every(({ name }) => names.has(name))) names.add(node.name);
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
  { rowNodes, rows, neighboursOf }: Choice,
  dropped: ReadonlySet<string>,
): void {
  const waiting = nodes.flatMap((node) => {
    const rowNode = rowNodes.get(node.name);
    return rowNode?.kind === 'numbers' && !dropped.has(node.name) ? [{ node, rowKey: rowKeyOf(rowNode.rows) }] : [];
  });
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const { node, rowKey } of waiting) {
      if (rows.has(node.name) || !neighboursOf(node).some(({ name }) => rows.get(name) === rowKey)) continue;
      rows.set(node.name, rowKey);
      isChanged = true;
    }
  }
}

/** Returns the nodes in groups: those with the same rows that neighbours connect. */
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
function isReordered({ concat, gather }: Reassembly): boolean {
  const parts = concat.inputs as readonly Value[];
  const isImage = parts.every(({ shape, constant }) => shape.length === 3 && !constant);
  if (!isImage || concat.attributes.axis !== 1) return false;
  const [, indices] = gather.inputs;
  const count = parts.reduce((sum, { shape }) => sum + known('the pixels', shape[1]), 0);
  const places = new Set(Array.from(indices.constant?.data ?? [], Number));
  return places.size === count && gather.outputs[0].shape[1] === count;
}
