/** Takes steps by a Loop that the backend runs as a whole: the state goes in and comes out with each call. */
import { at } from '../arrays/index.ts';
import type { NamedTensors, Session } from '../backend/index.ts';
import type { Tensor } from '../graph/index.ts';
import { findNonFinite, allFinite } from './finite.ts';
import { nextName } from './loop-graph.ts';
import { floatsOf, inputsTensor } from './samples.ts';
import type { State } from './state.ts';
import type { StepProblem } from './step-problem.ts';
import { divergenceAfter, type Stepper, type StepResults } from './stepper.ts';

export class LoopStepper implements Stepper {
  readonly hasFreeCalls = false;
  readonly #session: Session;
  readonly #problem: StepProblem;
  readonly #carried: readonly string[];
  /** The data set, the same for every call of an epoch. */
  #dataset: NamedTensors;
  #state: State;

  constructor(problem: StepProblem, carried: readonly string[], session: Session, state: State) {
    this.#problem = problem;
    this.#carried = carried;
    this.#session = session;
    this.#dataset = { inputs: inputsTensor(problem.samples), targets: problem.targets };
    this.#state = state;
  }

  get state(): State {
    return this.#state;
  }

  async take(order: Int32Array, done: number): Promise<StepResults> {
    const { state, results } = await this.#advance(this.#state, order, done);
    if (!allFinite(results.loss) || findNonFinite(state)) throw await this.#findDivergence(order, done);
    this.#state = state;
    return results;
  }

  useInputs(inputs: StepProblem['samples']['inputs']): void {
    this.#dataset = { ...this.#dataset, inputs: inputsTensor({ ...this.#problem.samples, inputs }) };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #advance(state: State, order: Int32Array, done: number): Promise<{ state: State; results: StepResults }> {
    const { batchSize } = this.#problem;
    const count = order.length / batchSize;
    const results = await this.#session.run({
      ...this.#dataset,
      ...Object.fromEntries(state),
      steps: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) },
      first_step: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(done)) },
      indices: { dtype: 'int32', shape: [count, batchSize], data: order },
      scalars: this.#scalars(done, count),
    });
    const updated = this.#carried.map((name) => [name, results[nextName(name)] as Tensor<'float32'>] as const);
    return {
      state: new Map([...state, ...updated]),
      results: { loss: floatsOf(results, 'loss'), score: floatsOf(results, 'score') },
    };
  }

  /**
   * Repeats the steps of a diverged call one by one, which gives the same bits, and returns the error of the first that
   * diverges.
   */
  async #findDivergence(order: Int32Array, from: number): Promise<Error> {
    const { batchSize, numbers } = this.#problem;
    let before = this.#state;
    for (let step = 0; step * batchSize < order.length; step++) {
      const batch = order.subarray(step * batchSize, (step + 1) * batchSize);
      const { results, state } = await this.#advance(before, batch, from + step);
      const loss = at(results.loss, 0);
      const first = findNonFinite(state);
      if (first || !Number.isFinite(loss)) return divergenceAfter(from + step, numbers, { loss, first });
      before = state;
    }
    return new Error('internal: a call of many steps diverged, the same steps one by one did not');
  }

  /** Returns the host's numbers for `count` steps after `done` others, as `[count, S]`. */
  #scalars(done: number, count: number): Tensor {
    const rows = Array.from({ length: count }, (_, i) => Object.values(this.#problem.numbers.at(done + i).scalars));
    return { dtype: 'float32', shape: [count, at(rows, 0).length], data: Float32Array.from(rows.flat()) };
  }
}
