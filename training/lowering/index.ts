/** Passes that turn a readable graph into one that a backend runs correctly and fast. */
import { checkGraph, type Graph } from '../graph/index.ts';
import { blockedSums } from './fast/blocked-sums.ts';
import { type Passes, passesOf, type Processor, type Target } from './passes.ts';

export { type LoopStep, loopStep } from './loop/loop-step.ts';
export type { Processor, Target } from './passes.ts';

/** Lowers the graph for a target, and checks the result. */
export function lower(graph: Graph, target: Target, processor?: Processor): Graph {
  return lowerBy(graph, passesOf(target, processor));
}

/** Applies these passes in order, and checks the result. */
export const lowerBy = (graph: Graph, passes: Passes): Graph =>
  checkGraph(Object.values(passes).reduce((lowered, pass) => pass(lowered), graph));

/** Emits the sums of large tensors in blocks, in a part of a graph lowered for `rows` that the runtime computes. */
export const lowerSums = (graph: Graph, { channelBlock }: Processor): Graph =>
  channelBlock === undefined ? graph : checkGraph(blockedSums(channelBlock)(graph));
