/**
 * A compiled step over memory of its own, and the thread that does half of it where it is for two: a worker that waits in the program
 * between steps.
 */
import { Worker } from 'node:worker_threads';
import { type Cells, type OpenProgram, openStatic, type StaticProgram } from '../../compile/index.ts';
import { siblingModule, UserError } from '../../files/index.ts';

/** What the second thread is given. */
export type SharedProgram = Pick<OpenProgram, 'module' | 'memory'>;

/** The second thread is no more: what a step had begun is lost. */
export class ThreadEnded extends UserError {}

const ended = (how: string): ThreadEnded =>
  new ThreadEnded(`training: expected the second thread of the steps to go on, got its end: ${how}`);

export class StepProgram {
  readonly #program: OpenProgram;
  readonly #second: Worker | undefined;
  #end: ThreadEnded | undefined;

  constructor(program: StaticProgram) {
    this.#program = openStatic(program);
    this.#second = program.threads === 2 ? this.#start(this.#program) : undefined;
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
      // Nobody came for longer than any machine is busy.
      if (this.#second && error instanceof WebAssembly.RuntimeError) throw (this.#end = ended(error.message));
      throw error;
    }
  }

  async release(): Promise<void> {
    this.#second?.removeAllListeners();
    await this.#second?.terminate();
  }

  #start({ module, memory }: SharedProgram): Worker {
    // A program given on the command line says what kind it is, which a thread that is a file must not be told.
    const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
    const workerData: SharedProgram = { module, memory };
    const second = new Worker(siblingModule(import.meta.url, './second-thread'), { workerData, execArgv });
    second.once('error', ({ message }: Error) => (this.#end ??= ended(message)));
    second.once('exit', (code) => (this.#end ??= ended(`exit status ${code}`)));
    // It never ends by itself, and nobody has to wait for it.
    second.unref();
    return second;
  }
}
