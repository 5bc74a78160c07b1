/** Finds the values of a graph that depend on the request, whatever the order of its nodes. */
import type { onnx } from '../../training/graph/index.ts';

export type Names = ReadonlySet<string>;

/** Returns the graphs that a node has in its attributes: branches, bodies of loops. */
export const bodiesOf = ({ attribute }: onnx.INodeProto): readonly onnx.IGraphProto[] =>
  attribute?.some(({ g, graphs }) => g ?? (graphs && graphs.length > 0))
    ? attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...(graphs ?? [])])
    : NONE;

/** Is shared by all nodes: a crafted graph has a hundred thousand. */
const NONE: readonly never[] = [];

/**
 * Maps first outputs to their nodes. It makes no list of pairs, which would take more memory than a crafted graph
 * itself.
 */
export function sourcesOf(nodes: readonly onnx.INodeProto[]): ReadonlyMap<string, onnx.INodeProto> {
  const sources = new Map<string, onnx.INodeProto>();
  for (const node of nodes) sources.set(node.output?.[0] ?? '', node);
  return sources;
}

export const isOwnDomain = (domain: string | null | undefined): boolean => !domain || domain === 'ai.onnx';

export const functionKey = (domain: string | null | undefined, name: string | null | undefined): string =>
  `${isOwnDomain(domain) ? '' : (domain ?? '')}/${name ?? ''}`;

/** Lists all values that a node reads, including those of the surrounding graph that its bodies read. */
export function readsOf(node: onnx.INodeProto): readonly string[] {
  const bodies = bodiesOf(node);
  if (bodies.length === 0) return node.input ?? NONE;
  const inner = bodies.flatMap((body) => [
    ...(body.node ?? []).flatMap(readsOf),
    ...(body.output ?? []).map(({ name }) => name ?? ''),
  ]);
  return [...(node.input ?? []), ...inner];
}

/** Lists the values whose numbers a node reads. CastLike reads only the element type of its second input. */
const numbersReadBy = (node: onnx.INodeProto): readonly string[] =>
  node.opType === 'CastLike' ? (node.input ?? []).slice(0, 1) : readsOf(node);

/** @returns the names in `given`, and of all values that are computed from them */
export function dependents(nodes: readonly onnx.INodeProto[], given: Names): Names {
  const readers = new Map<string, onnx.INodeProto[]>();
  for (const node of nodes) {
    for (const name of numbersReadBy(node)) {
      if (name === '') continue;
      const all = readers.get(name);
      if (all) all.push(node);
      else readers.set(name, [node]);
    }
  }
  const found = new Set(given);
  // Iterating over a set includes what is added on the way.
  for (const name of found) {
    for (const { output } of readers.get(name) ?? [])
      for (const value of output ?? []) if (value !== '') found.add(value);
  }
  return found;
}
