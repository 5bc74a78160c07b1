/** Passes that turn a readable graph into one that a backend runs right and fast. */
import { checkGraph, type Graph } from '../graph/index.ts';
import { blockedSums } from './fast/blocked-sums.ts';
import { type Passes, passesOf, type Processor, type Target } from './passes.ts';

export { type LoopStep, loopStep } from './loop/loop-step.ts';
export type { Processor, Target } from './passes.ts';

/** The graph for a target, checked after the last pass. */
export function lower(graph: Graph, target: Target, processor?: Processor): Graph {
  return lowerBy(graph, passesOf(target, processor));
}

/** The graph after these passes, checked after the last. */
export const lowerBy = (graph: Graph, passes: Passes): Graph =>
  checkGraph(Object.values(passes).reduce((lowered, pass) => pass(lowered), graph));

/** What is left of a graph for `rows` to the runtime, in its fastest ops. */
export const lowerSums = (graph: Graph, { channelBlock }: Processor): Graph =>
  channelBlock === undefined ? graph : checkGraph(blockedSums(channelBlock)(graph));
