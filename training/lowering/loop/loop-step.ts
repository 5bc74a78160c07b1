/**
 * Takes one iteration of a Loop as a graph of its own, for a backend that iterates from the host. ONNX Runtime carries
 * a Loop's state through host memory, while outputs of a session can stay on the device and be the inputs of its next
 * run.
 */
import { at } from '../../arrays/index.ts';
import { checkGraph, type Graph, liveNodes, type OpNode, Value } from '../../graph/index.ts';

export interface LoopStep {
  /**
   * The inputs are `iteration`, the carried state before the step, and the graph's own inputs that the iteration reads.
   */
  readonly graph: Graph;
  /** The name of the whole graph's input that holds the number of iterations. */
  readonly tripCount: string;
  /** The name of the step's input that counts iterations from 0, an int64 scalar. */
  readonly iteration: string;
  /**
   * The state that each iteration replaces. It starts as the graph's input `initial` and ends as the graph's output
   * `final`.
   */
  readonly carried: readonly { initial: string; before: string; after: string; final: string }[];
  /** The values of each iteration that the whole graph stacks along a new first axis, as its output `stacked`. */
  readonly scanned: readonly { each: string; stacked: string }[];
}

/** @returns undefined unless the graph is a single Loop that runs for a number of iterations given as input */
export function loopStep(graph: Graph): LoopStep | undefined {
  const [loop, ...others] = graph.nodes;
  if (loop?.op !== 'Loop' || others.length > 0 || !runsToTheEnd(loop)) return undefined;
  const [tripCount, , ...initial] = loop.inputs;
  const { body } = loop.attributes;
  const [iteration, condition, ...before] = body.inputs;
  if (!iteration || !condition || !isInput(graph, tripCount)) return undefined;
  const after = body.outputs.slice(1);
  const results = loop.outputs.map(({ name }) => name);
  return {
    graph: stepGraph(graph, body, condition),
    tripCount: tripCount.name,
    iteration: iteration.name,
    carried: before.map((value, i) => ({
      initial: at(initial, i).name,
      before: value.name,
      after: at(after, i).name,
      final: at(results, i),
    })),
    scanned: after.slice(before.length).map(({ name }, i) => ({ each: name, stacked: at(results, before.length + i) })),
  };
}

function stepGraph(graph: Graph, body: Graph, condition: Value): Graph {
  const outputs = body.outputs.slice(1);
  const { nodes, used } = liveNodes(body.nodes, outputs);
  const always = new Value(condition.name, condition, { dtype: 'bool', shape: [], data: Uint8Array.of(1) });
  return checkGraph({
    name: body.name,
    inputs: [...body.inputs, ...graph.inputs].filter(({ name }) => used.has(name) && name !== condition.name),
    initializers: [always, ...graph.initializers].filter(({ name }) => used.has(name)),
    nodes,
    outputs,
  });
}

/** Is true when neither the Loop's own condition nor its body's ever becomes false. */
function runsToTheEnd({ inputs: [, cond], attributes: { body } }: OpNode<'Loop'>): boolean {
  const [condition] = body.outputs;
  const source = body.nodes.find(({ outputs }) => outputs.some(({ name }) => name === condition?.name));
  const isPassedThrough = source?.op === 'Identity' && source.inputs[0].name === body.inputs[1]?.name;
  return isPassedThrough && cond.constant?.data[0] === 1;
}

const isInput = (graph: Graph, value: Value): boolean => graph.inputs.some(({ name }) => name === value.name);
