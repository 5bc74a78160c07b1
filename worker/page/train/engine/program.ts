/** Compiles the graphs that look at a network; each is compiled whole, as the training step is. */
import { compileStatic, openStatic } from '../../../../training/compile/index.ts';
import { checkGraph, type Graph } from '../../../../training/graph/index.ts';
import { lower } from '../../../../training/lowering/index.ts';
import type { State } from '../../../../training/trainer/index.ts';

export interface Program {
  /** Returns the array into which an input is written. */
  readonly input: (name: string) => Float32Array | Int32Array;
  /** Copies the tensors that the graph reads. */
  readonly load: (state: State) => void;
  readonly run: () => void;
  /** Returns an output of the last run; the next run overwrites the array. */
  readonly output: (name: string) => Float32Array;
}

/** @throws CompileError where the compiler does not cover the graph */
export function openGraph(graph: Graph): Program {
  const { run, inputs, outputs } = openStatic(compileStatic(lower(checkGraph(graph), 'compiled')));
  return {
    input: (name) => inputs.get(name) ?? missing(name),
    load: (state) => {
      for (const [name, { data }] of state) inputs.get(name)?.set(data);
    },
    run,
    output: (name) => {
      const cells = outputs.get(name);
      return cells instanceof Float32Array ? cells : missing(name);
    },
  };
}

function missing(name: string): never {
  throw new Error(`internal: the program has no ${name}`);
}
