/**
 * Takes steps by one compiled program, on one thread or two. Forward pass, gradients and update are kernels over one
 * memory, with no runtime between them: a runtime would take most of the time of a small step.
 *
 *     rows of the data set ─▶ │ x  targets  θ  m  v  … │ ◀─▶ a whole step
 */
import { at } from '../../arrays/index.ts';
import type { Cells, StaticProgram } from '../../compile/index.ts';
import type { Tensor } from '../../graph/index.ts';
import { allFinite, findNonFinite } from '../finite.ts';
import { gatherRows } from '../in-place/rows.ts';
import { inputsTensor } from '../samples.ts';
import { carriedState, type State, tensorOf } from '../state.ts';
import type { StepProblem } from '../step-problem.ts';
import { divergenceAfter, type Stepper, type StepResults } from '../stepper.ts';
import { scalarName } from './step-graph.ts';
import { StepProgram, ThreadEnded } from './step-program.ts';

export class CompiledStepper implements Stepper {
  readonly hasFreeCalls = true;
  readonly #problem: StepProblem;
  readonly #program: StepProgram;
  readonly #carried: readonly string[];
  /** The inputs that hold a mini-batch, as tensors over the program's memory. */
  readonly #batch: { readonly x: Tensor; readonly targets: Tensor };
  /** The inputs of all samples. */
  #samples: Tensor;
  readonly #initial: State;
  /** A copy of the state after the last step, made on demand; undefined before that. */
  #state: State | undefined;

  constructor(problem: StepProblem, program: StaticProgram, state: State) {
    this.#problem = problem;
    this.#program = new StepProgram(program);
    this.#carried = [...carriedState(problem.plan, problem.options).keys()];
    this.#samples = inputsTensor(problem.samples);
    this.#batch = { x: this.#rows('x', this.#samples), targets: this.#rows('targets', problem.targets) };
    this.#initial = state;
    this.#state = state;
    for (const [name, { data }] of state) this.#program.inputs.get(name)?.set(data);
  }

  get state(): State {
    return (this.#state ??= this.#copyState());
  }

  take(order: Int32Array, done: number): Promise<StepResults> {
    const before = this.state;
    this.#state = undefined;
    try {
      const results = this.#takeAll(order, done);
      if (allFinite(results.loss) && this.#isFinite()) return Promise.resolve(results);
      this.#restore(before);
      return Promise.reject(this.#findDivergence(order, done));
    } catch (error) {
      if (!(error instanceof ThreadEnded)) throw error;
      this.#state = before;
      return Promise.reject(error);
    }
  }

  useInputs(inputs: StepProblem['samples']['inputs']): void {
    this.#samples = inputsTensor({ ...this.#problem.samples, inputs });
  }

  release(): Promise<void> {
    return this.#program.release();
  }

  #rows(name: string, { shape: [, ...shape] }: Tensor): Tensor {
    const { batchSize } = this.#problem;
    const data = this.#cells(name);
    return data instanceof Float32Array
      ? { dtype: 'float32', shape: [batchSize, ...shape], data }
      : { dtype: 'int32', shape: [batchSize, ...shape], data };
  }

  #cells(name: string): Cells {
    return this.#program.inputs.get(name) ?? missing(name);
  }

  #takeAll(order: Int32Array, done: number): StepResults {
    const { batchSize } = this.#problem;
    const steps = order.length / batchSize;
    const results = { loss: new Float32Array(steps), score: new Float32Array(steps) };
    const { loss = missing('loss'), score = missing('score') } = Object.fromEntries(this.#program.outputs);
    for (let step = 0; step < steps; step++) {
      this.#step(order.subarray(step * batchSize, (step + 1) * batchSize), done + step);
      results.loss.set(loss, step);
      results.score.set(score, step);
    }
    return results;
  }

  #step(indices: Int32Array, done: number): void {
    const { numbers, targets } = this.#problem;
    gatherRows(this.#samples, indices, this.#batch.x);
    gatherRows(targets, indices, this.#batch.targets);
    this.#cells('step')[0] = done;
    for (const [name, value] of Object.entries(numbers.at(done).scalars)) this.#cells(scalarName(name))[0] = value;
    this.#program.run();
  }

  #isFinite(): boolean {
    return this.#carried.every((name) => allFinite(this.#cells(name) as Float32Array));
  }

  #restore(state: State): void {
    for (const name of this.#carried) this.#cells(name).set(tensorOf(state, name).data);
  }

  /**
   * Repeats the steps of a diverged call one by one, which gives the same bits, and returns the error of the first that
   * diverges.
   */
  #findDivergence(order: Int32Array, from: number): Error {
    const { batchSize, numbers } = this.#problem;
    for (let step = 0; step * batchSize < order.length; step++) {
      const { loss } = this.#takeAll(order.subarray(step * batchSize, (step + 1) * batchSize), from + step);
      const first = this.#isFinite() ? undefined : findNonFinite(this.#copyState());
      const lossOfStep = at(loss, 0);
      if (first || !Number.isFinite(lossOfStep)) {
        return divergenceAfter(from + step, numbers, { loss: lossOfStep, first });
      }
    }
    return new Error('internal: a call of many steps diverged, the same steps one by one did not');
  }

  #copyState(): State {
    const changed = new Set(this.#carried);
    return new Map(
      [...this.#initial].map(([name, tensor]) => {
        const data = changed.has(name) ? (this.#cells(name) as Float32Array).slice() : tensor.data;
        return [name, { ...tensor, data }] as const;
      }),
    );
  }
}

function missing(name: string): never {
  throw new Error(`internal: the program has no ${name}`);
}
