/**
 * Cuts a graph into stages, each of which is a graph for the runtime or a program of rows:
 *
 *     products ─▶ rows of what follows them ─▶ products ─▶ …
 *
 * A node belongs to the first stage in which everything that it reads exists. Where its result is no smaller than that,
 * it belongs to the stage that first reads the result.
 */
import type { RowSource } from '../../compile/index.ts';
import { type Graph, type Node, sizeOf, type Value } from '../../graph/index.ts';
import { isShape, type Kinds, kindsOf } from './kinds.ts';

export type Stage =
  | { readonly kind: 'session'; readonly graph: Graph }
  | { readonly kind: 'rows'; readonly source: RowSource };

export interface Stages {
  readonly stages: readonly Stage[];
  /** Returns the value in memory that this one, between stages or as an output of the graph, is a reshaped view of. */
  readonly rootOf: (value: Value) => Value;
}

/**
 * @param alone the names of nodes that the runtime computes, since they would be the only ones of their stage
 * @returns undefined where there is nothing to cut: no tensor between products has so many elements
 */
export function stagesOf(graph: Graph, large: number, alone: ReadonlySet<string> = new Set()): Stages | undefined {
  const kinds = kindsOf(graph, large, alone);
  if (kinds.rows.size === 0) return undefined;
  const levels = levelsOf(graph, kinds);
  const groups = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    if (!levels.has(node.name)) continue;
    const text = textOf(levels.get(node.name));
    groups.set(text, [...(groups.get(text) ?? []), node]);
  }
  const lonely = [...groups.values()].flatMap((nodes) => {
    const [only] = nodes.length === 1 ? nodes : [];
    return only && levels.get(only.name)?.kind !== 'session' && !kinds.placed.has(only.name) ? [only.name] : [];
  });
  if (lonely.length > 0) return stagesOf(graph, large, new Set([...alone, ...lonely]));
  const keys = new Map([...levels.values()].map((key) => [textOf(key), key] as const));
  const stages = [...keys]
    .toSorted(([, a], [, b]) => a.level - b.level || a.kind.localeCompare(b.kind))
    .map(([text, { level, kind }]): Stage => {
      const nodes = groups.get(text) ?? [];
      return kind === 'session' ? sessionOf(graph, nodes, kinds, level) : rowsOf(graph, nodes, kinds, kind);
    });
  return { stages, rootOf: kinds.rootOf };
}

/** The number of elements that may wait in memory for the last stage. */
const smallInputs = 2 ** 12;

interface Key {
  readonly level: number;
  /** `session`, or the key of the rows (`orderOf`). */
  readonly kind: string;
}

const textOf = (key: Key | undefined): string => `${key?.level} ${key?.kind}`;

/**
 * Assigns a stage to each node. Reshaped views, runs in another order, and parts of a larger value have none of their
 * own.
 */
function levelsOf({ nodes, outputs }: Graph, kinds: Kinds): ReadonlyMap<string, Key> {
  const { rows, placed, rootOf, producerOf, consumersOf } = kinds;
  const parts = new Set([...placed.values()].map(({ concat }) => concat.name));
  const isVirtual = (node: Node): boolean =>
    isShape(node) || parts.has(node.name) || (node.op === 'Gather' && rows.has(node.name) && !placed.has(node.name));
  const kindOf = ({ name }: Node): string => rows.get(name) ?? 'session';
  /** Returns the nodes that a node waits for, looking through those without a stage. */
  const makersOf = (node: Node): readonly Node[] => {
    const inputs = placed.get(node.name)?.concat.inputs ?? node.inputs;
    return inputs.flatMap((value: Value | undefined) => {
      const maker = value && producerOf(value);
      if (!maker) return [];
      return isVirtual(maker) ? makersOf(maker) : [maker];
    });
  };
  const readersOf = (node: Node): readonly Node[] =>
    node.outputs.flatMap((value: Value) =>
      consumersOf(value).flatMap((reader) => (isVirtual(reader) ? readersOf(reader) : [reader])),
    );
  const levels = new Map<string, number>();
  for (const node of nodes) {
    if (isVirtual(node)) continue;
    const waits = makersOf(node).map(
      (maker) => (levels.get(maker.name) ?? 0) + (kindOf(maker) === kindOf(node) ? 0 : 1),
    );
    // What rows compute from parameters alone comes before all products.
    levels.set(node.name, Math.max(rows.has(node.name) ? 0 : 1, ...waits));
  }
  const levelOf = ({ name }: Node): number => levels.get(name) ?? 0;
  const results = new Set(outputs.map((value) => rootOf(value).name));
  const isResult = (node: Node): boolean => node.outputs.some(({ name }: Value) => results.has(name));
  /** Counts the elements of values that are computed. The graph's own inputs always exist. */
  const elements = (values: readonly (Value | undefined)[]): number =>
    values.reduce((sum, value) => sum + (value && producerOf(value) ? sizeOf(value.shape) : 0), 0);
  /**
   * Is true when no other stage waits for a node of the runtime. It joins the last products, unless its inputs are too
   * large to wait in memory until then.
   */
  const isLast = (node: Node): boolean =>
    !rows.has(node.name) && readersOf(node).every(({ name }) => last.has(name)) && elements(node.inputs) < smallInputs;
  const last = new Set<string>();
  const placedNodes = nodes.filter(({ name }) => levels.has(name));
  const existing = (kind: string): ReadonlySet<number> =>
    new Set(placedNodes.filter((node) => kindOf(node) === kind).map(levelOf));
  const end = Math.max(...existing('session'));
  for (const node of nodes.toReversed()) {
    if (!isVirtual(node) && isLast(node)) {
      levels.set(node.name, end);
      last.add(node.name);
      continue;
    }
    if (isVirtual(node) || isResult(node) || node.op.startsWith('Reduce')) continue;
    const readers = readersOf(node);
    if (placed.has(node.name) || readers.length === 0 || readers.some((reader) => placed.has(reader.name))) continue;
    const isRow = rows.has(node.name);
    if (isRow && readers.some((reader) => kindOf(reader) !== kindOf(node))) continue;
    if (!isRow && elements(node.outputs) < elements(node.inputs)) continue;
    const latest = Math.min(...readers.map((reader) => levelOf(reader) - (kindOf(reader) === kindOf(node) ? 0 : 1)));
    const possible = [...existing(kindOf(node))].filter((level) => level <= latest);
    levels.set(node.name, Math.max(levelOf(node), ...possible));
  }
  return new Map(
    nodes.flatMap((node) =>
      levels.has(node.name) ? [[node.name, { level: levelOf(node), kind: kindOf(node) }] as const] : [],
    ),
  );
}

function sessionOf(graph: Graph, own: readonly Node[], { rootOf, consumersOf }: Kinds, level: number): Stage {
  const made = new Set(own.flatMap(({ outputs }) => outputs.map(({ name }: Value) => name)));
  const names = new Set(own.map(({ name }) => name));
  const read = new Set(own.flatMap(({ inputs }) => inputs.flatMap((value: Value | undefined) => value?.name ?? [])));
  const results = graph.outputs.filter((value) => made.has(rootOf(value).name));
  for (const { name } of results) read.add(name);
  const shapes = graph.nodes.toReversed().filter((node) => {
    if (!isShape(node) || !node.outputs.some(({ name }: Value) => read.has(name))) return false;
    for (const value of node.inputs) if (value) read.add(value.name);
    return true;
  });
  const inside = new Set([...names, ...shapes.map(({ name }) => name)]);
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

function rowsOf(graph: Graph, own: readonly Node[], kinds: Kinds, order: string): Stage {
  const { placed, rows, rootOf, producerOf, consumersOf } = kinds;
  const names = new Set(own.map(({ name }) => name));
  const isPlaced = ({ name }: Node): boolean => placed.has(name);
  const computed = own.filter((node) => !isPlaced(node));
  const gathers = new Map<string, Node>();
  for (const node of computed)
    for (const value of node.inputs as readonly (Value | undefined)[]) {
      const maker = value && producerOf(value);
      if (maker?.op === 'Gather' && rows.has(maker.name) && !placed.has(maker.name)) gathers.set(maker.name, maker);
    }
  const placements = own.filter(isPlaced).flatMap((node) => {
    const pair = placed.get(node.name);
    if (!pair) return [];
    const [output] = pair.gather.outputs;
    const [, pixels = NaN, run = NaN] = output.shape.map(Number);
    const places: number[] = [];
    Array.from(pair.gather.inputs[1].constant?.data ?? [], Number).forEach((from, to) => (places[from] = to));
    let done = 0;
    return (pair.concat.inputs as readonly Value[]).map((part) => {
      const orderOfPart = places.slice(done, (done += Number(part.shape[1])));
      return {
        part: rootOf(part).name,
        whole: output,
        into: { of: rootOf(output).name, order: orderOfPart, run, count: pixels },
      };
    });
  });
  const results = new Set(graph.outputs.map((value) => rootOf(value).name));
  const concats = new Set([...placed.values()].map(({ concat }) => concat.name));
  const outputs = computed.flatMap((node) =>
    node.outputs.filter(
      (value: Value) =>
        results.has(value.name) || consumersOf(value).some(({ name }) => !names.has(name) && !concats.has(name)),
    ),
  );
  return {
    kind: 'rows',
    source: {
      rows: Number.parseInt(order),
      nodes: [...gathers.values(), ...computed],
      placements,
      outputs,
      rootOf,
    },
  };
}
