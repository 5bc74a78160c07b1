/**
 * Cuts a graph into stages, each of which is a graph for the runtime or a program of rows:
 *
 *     products ─▶ rows of what follows them ─▶ products ─▶ …
 *
 * A node belongs to the first stage in which everything that it reads exists. A node whose result is at least as large
 * as what it reads waits for the stage that first reads the result.
 */
import { present } from '../../arrays/index.ts';
import type { RowSource } from '../../compile/index.ts';
import { type Graph, known, type Node, sizeOf, sizesOf, type Value } from '../../graph/index.ts';
import { type Kinds, kindsOf, type Reassembly } from './kinds.ts';
import { isReshape } from './links.ts';

export type Stage =
  | { readonly kind: 'session'; readonly graph: Graph }
  | { readonly kind: 'rows'; readonly source: RowSource };

export interface Stages {
  readonly stages: readonly Stage[];
  /** Returns the value whose memory this one, between stages or as an output of the graph, is a reshaped view of. */
  readonly rootOf: (value: Value) => Value;
}

/**
 * @param runtimeOnly the names of nodes that the runtime computes, since they would be the only ones of their stage
 * @returns undefined where there is nothing to cut: no tensor between products has so many elements
 */
export function stagesOf(
  graph: Graph,
  large: number,
  runtimeOnly: ReadonlySet<string> = new Set(),
): Stages | undefined {
  const kinds = kindsOf(graph, large, runtimeOnly);
  if (kinds.rows.size === 0) return undefined;
  const levels = levelsOf(graph, kinds);
  const groups = new Map<string, Key & { readonly nodes: Node[] }>();
  for (const node of graph.nodes) {
    const key = levels.get(node.name);
    if (!key) continue;
    const group = groups.get(textOf(key)) ?? { ...key, nodes: [] };
    group.nodes.push(node);
    groups.set(textOf(key), group);
  }
  const lonely = [...groups.values()].flatMap(({ kind, nodes }) => {
    const [only] = nodes.length === 1 ? nodes : [];
    return only && kind !== 'session' && !kinds.reassembled.has(only.name) ? [only.name] : [];
  });
  if (lonely.length > 0) return stagesOf(graph, large, new Set([...runtimeOnly, ...lonely]));
  const stages = [...groups.values()]
    .toSorted((a, b) => a.level - b.level || a.kind.localeCompare(b.kind))
    .map(({ level, kind, nodes }) =>
      kind === 'session' ? sessionOf(graph, nodes, kinds, level) : rowsOf(graph, nodes, kinds, kind),
    );
  return { stages, rootOf: kinds.rootOf };
}

/** The number of elements that may wait in memory for the last stage. */
const smallInputs = 2 ** 12;

interface Key {
  readonly level: number;
  /** `session`, or the key of the rows (`rowKeyOf`). */
  readonly kind: string;
}

const textOf = ({ level, kind }: Key): string => `${level} ${kind}`;

/**
 * Assigns a stage to each node: the first in which everything that it reads exists, or a later one that suits it
 * better. Reshaped views, runs in another order, and parts of a larger value have none of their own.
 */
function levelsOf(graph: Graph, kinds: Kinds): ReadonlyMap<string, Key> {
  const links = stageLinksOf(kinds);
  const levels = earliestLevels(graph, links);
  delay(graph, kinds, links, levels);
  const kindOf = (name: string): string => kinds.rows.get(name) ?? 'session';
  return new Map([...levels].map(([name, level]) => [name, { level, kind: kindOf(name) }] as const));
}

interface StageLinks {
  /** Is true for a node without a stage of its own. */
  readonly isVirtual: (node: Node) => boolean;
  readonly isRow: (node: Node) => boolean;
  readonly isSameKind: (a: Node, b: Node) => boolean;
  /** Returns the nodes that a node waits for, and those that wait for it, looking through those without a stage. */
  readonly sourcesOf: (node: Node) => readonly Node[];
  readonly readersOf: (node: Node) => readonly Node[];
}

function stageLinksOf({ rows, reassembled, producerOf, consumersOf }: Kinds): StageLinks {
  const parts = new Set([...reassembled.values()].map(({ concat }) => concat.name));
  const isVirtual = (node: Node): boolean =>
    isReshape(node) ||
    parts.has(node.name) ||
    (node.op === 'Gather' && rows.has(node.name) && !reassembled.has(node.name));
  const sourcesOf = (node: Node): readonly Node[] => {
    const inputs = reassembled.get(node.name)?.concat.inputs ?? node.inputs;
    return inputs.flatMap((value: Value | undefined) => {
      const producer = value && producerOf(value);
      if (!producer) return [];
      return isVirtual(producer) ? sourcesOf(producer) : [producer];
    });
  };
  const readersOf = (node: Node): readonly Node[] =>
    node.outputs.flatMap((value: Value) =>
      consumersOf(value).flatMap((reader) => (isVirtual(reader) ? readersOf(reader) : [reader])),
    );
  return {
    isVirtual,
    isRow: ({ name }) => rows.has(name),
    isSameKind: (a, b) => rows.get(a.name) === rows.get(b.name),
    sourcesOf,
    readersOf,
  };
}

function earliestLevels({ nodes }: Graph, links: StageLinks): Map<string, number> {
  const levels = new Map<string, number>();
  for (const node of nodes) {
    if (links.isVirtual(node)) continue;
    const waits = links
      .sourcesOf(node)
      .map((source) => present(levels.get(source.name)) + (links.isSameKind(source, node) ? 0 : 1));
    // What rows compute from parameters alone comes before all products.
    levels.set(node.name, Math.max(links.isRow(node) ? 0 : 1, ...waits));
  }
  return levels;
}

/**
 * Moves nodes to later levels: those that no other stage waits for to the last products, and those whose result is no
 * smaller than what they read to the stage that first reads the result.
 */
function delay({ nodes, outputs }: Graph, kinds: Kinds, links: StageLinks, levels: Map<string, number>): void {
  const { reassembled, rootOf, producerOf } = kinds;
  const { isRow, isSameKind, readersOf } = links;
  const levelOf = ({ name }: Node): number => present(levels.get(name));
  const results = new Set(outputs.map((value) => rootOf(value).name));
  const isResult = (node: Node): boolean => node.outputs.some(({ name }: Value) => results.has(name));
  /** Counts the elements of values that are computed. The graph's own inputs always exist. */
  const elements = (values: readonly (Value | undefined)[]): number =>
    values.reduce((sum, value) => sum + (value && producerOf(value) ? sizeOf(value.shape) : 0), 0);
  const staged = nodes.filter(({ name }) => levels.has(name));
  const end = Math.max(...staged.filter((node) => !isRow(node)).map(levelOf));
  const last = new Set<string>();
  /** Is true when no other stage waits for the node, unless its inputs are too large to wait in memory until then. */
  const isLast = (node: Node, readers: readonly Node[]): boolean =>
    !isRow(node) && readers.every(({ name }) => last.has(name)) && elements(node.inputs) < smallInputs;
  /** Is true when the node may be computed where its result is first read. */
  const mayWait = (node: Node, readers: readonly Node[]): boolean => {
    if (isResult(node) || node.op.startsWith('Reduce') || readers.length === 0) return false;
    if ([node, ...readers].some(({ name }) => reassembled.has(name))) return false;
    return isRow(node)
      ? readers.every((reader) => isSameKind(reader, node))
      : elements(node.outputs) >= elements(node.inputs);
  };
  for (const node of staged.toReversed()) {
    const readers = readersOf(node);
    if (isLast(node, readers)) {
      levels.set(node.name, end);
      last.add(node.name);
    } else if (mayWait(node, readers)) {
      const latest = Math.min(...readers.map((reader) => levelOf(reader) - (isSameKind(reader, node) ? 0 : 1)));
      const existing = staged.filter((other) => isSameKind(other, node)).map(levelOf);
      levels.set(node.name, Math.max(levelOf(node), ...existing.filter((level) => level <= latest)));
    }
  }
}

/** Returns the graph of a session: its own nodes, and the reshaped views that it reads or returns. */
function sessionOf(graph: Graph, own: readonly Node[], { rootOf, consumersOf }: Kinds, level: number): Stage {
  const made = new Set(own.flatMap(({ outputs }) => outputs.map(({ name }: Value) => name)));
  const names = new Set(own.map(({ name }) => name));
  const read = new Set(own.flatMap(({ inputs }) => inputs.flatMap((value: Value | undefined) => value?.name ?? [])));
  const results = graph.outputs.filter((value) => made.has(rootOf(value).name));
  for (const { name } of results) read.add(name);
  const reshapes = graph.nodes.toReversed().filter((node) => {
    if (!isReshape(node) || !node.outputs.some(({ name }: Value) => read.has(name))) return false;
    for (const value of node.inputs) if (value) read.add(value.name);
    return true;
  });
  const inside = new Set([...names, ...reshapes.map(({ name }) => name)]);
  const nodes = graph.nodes.filter(({ name }) => inside.has(name));
  const defined = new Set(nodes.flatMap(({ outputs }) => outputs.map(({ name }: Value) => name)));
  const inputs = new Map<string, Value>();
  for (const node of nodes)
    for (const value of node.inputs as readonly (Value | undefined)[])
      if (value && !value.constant && !defined.has(value.name)) inputs.set(value.name, value);
  const given = own.flatMap(({ outputs }) =>
    outputs.filter((value: Value) => consumersOf(value).some(({ name }) => !names.has(name))),
  );
  const outputs = new Map([...given, ...results].map((value: Value) => [value.name, value] as const));
  return {
    kind: 'session',
    graph: {
      name: `${graph.name}, stage ${level}`,
      inputs: [...inputs.values()],
      initializers: graph.initializers.filter(({ name }) => read.has(name)),
      nodes,
      outputs: [...outputs.values()],
    },
  };
}

/** Returns the nodes of a program of rows, with the Gathers that are fused into them, and what is stored for others. */
function rowsOf(graph: Graph, own: readonly Node[], kinds: Kinds, rowKey: string): Stage {
  const { reassembled, rows, rootOf, producerOf, consumersOf } = kinds;
  const names = new Set(own.map(({ name }) => name));
  const computed = own.filter(({ name }) => !reassembled.has(name));
  const gathers = new Map<string, Node>();
  for (const node of computed)
    for (const value of node.inputs as readonly (Value | undefined)[]) {
      const producer = value && producerOf(value);
      if (producer?.op === 'Gather' && rows.has(producer.name) && !reassembled.has(producer.name))
        gathers.set(producer.name, producer);
    }
  const placements = own.flatMap(({ name }) => {
    const pair = reassembled.get(name);
    return pair ? placementsOf(pair, rootOf) : [];
  });
  const results = new Set(graph.outputs.map((value) => rootOf(value).name));
  const concats = new Set([...reassembled.values()].map(({ concat }) => concat.name));
  const outputs = computed.flatMap((node) =>
    node.outputs.filter(
      (value: Value) =>
        results.has(value.name) || consumersOf(value).some(({ name }) => !names.has(name) && !concats.has(name)),
    ),
  );
  return {
    kind: 'rows',
    source: {
      rows: Number.parseInt(rowKey),
      nodes: [...gathers.values(), ...computed],
      placements,
      outputs,
      rootOf,
    },
  };
}

/** Returns for each part where its pixels lie in the reordered whole. */
function placementsOf({ concat, gather }: Reassembly, rootOf: Kinds['rootOf']): RowSource['placements'] {
  const [whole] = gather.outputs;
  const [, count, run] = sizesOf(whole, 3);
  const places: number[] = [];
  Array.from(gather.inputs[1].constant?.data ?? [], Number).forEach((from, to) => (places[from] = to));
  let done = 0;
  return (concat.inputs as readonly Value[]).map((part) => {
    const order = places.slice(done, (done += known('the pixels', part.shape[1])));
    return { part: rootOf(part).name, whole, into: { of: rootOf(whole).name, order, run, count } };
  });
}
