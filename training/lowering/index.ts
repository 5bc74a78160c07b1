/** Passes that turn a readable graph into one that a backend runs right and fast. */
import { checkGraph, type Graph } from '../graph/index.ts';
import type { Pass } from './rewrite.ts';
import { shieldStatistics } from './shield-statistics.ts';

export type Target = 'native';

const passes: { readonly [T in Target]: readonly Pass[] } = {
  native: [shieldStatistics],
};

/** The graph for a target, checked after the last pass. */
export function lower(graph: Graph, target: Target): Graph {
  return checkGraph(passes[target].reduce((lowered, pass) => pass(lowered), graph));
}
