/**
 * Holds a compiled step over memory of its own. If the step is compiled for two threads, a worker does half of it, and
 * waits inside the program between steps.
 */
import { type Cells, type OpenProgram, openStatic, type StaticProgram } from '../../compile/index.ts';
import { UserError } from '../../files/index.ts';
import { type SecondThread, startThread } from './start-thread.ts';

/** The second thread has ended, and the results of the step it was in are lost. */
export class ThreadEnded extends UserError {}

const ended = (how: string): ThreadEnded =>
  new ThreadEnded(`training: expected the second thread of the steps to go on, got its end: ${how}`);

export class StepProgram {
  readonly #program: OpenProgram;
  readonly #second: SecondThread | undefined;
  #end: ThreadEnded | undefined;

  constructor(program: StaticProgram) {
    this.#program = openStatic(program);
    this.#second = program.threads === 2 ? startThread(this.#program, (how) => (this.#end ??= ended(how))) : undefined;
  }

  get inputs(): ReadonlyMap<string, Cells> {
    return this.#program.inputs;
  }

  get outputs(): ReadonlyMap<string, Cells> {
    return this.#program.outputs;
  }

  /** @throws ThreadEnded where the second thread has ended: nothing in memory is of use then */
  run(): void {
    if (this.#end) throw this.#end;
    try {
      this.#program.run();
    } catch (error) {
      // The program traps if the second thread has not come for longer than any machine is busy.
      if (this.#second && error instanceof WebAssembly.RuntimeError) throw (this.#end = ended(error.message));
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.#second?.release();
  }
}
