/**
 * Lets threads share the rows of a program without waiting for each other to start: each thread that is awake takes the
 * next few rows. A ticket says which rows these are. It is one number in memory that all threads see, so a thread that
 * wakes up late finds nothing to take, or rows of the next program.
 *
 *     ticket   │ turn, 12 bits │ program, 10 bits │ piece, 10 bits │
 *     done     the number of pieces of this turn that are computed
 *
 * A row is computed from what lies in memory alone, so results do not depend on the thread that computes it.
 */

/** The cells of the control array of int32: the ticket, and the number of pieces that are computed. */
export const ticketAt = 0;
export const doneAt = 1;
/** The cell that idle threads wait on: it changes with each turn. */
export const turnAt = 2;
export const controlCells = 3;

const maxPieces = 64;

/** Computes rows of a program, from `first` up to but not including `end`. */
export type RunRows = (first: number, end: number, own: number) => void;

export interface RowsTask {
  readonly run: RunRows;
  readonly rows: number;
}

/** Returns the functions of a module's instance by which a thread computes rows. */
export const tasksOf = (
  exports: WebAssembly.Exports,
  functions: readonly { readonly name: string; readonly rows: number }[],
): readonly RowsTask[] => functions.map(({ name, rows }) => ({ run: exports[name] as RunRows, rows }));

const pieceRows = (rows: number): number => Math.ceil(rows / maxPieces);
export const piecesOf = (rows: number): number => Math.ceil(rows / pieceRows(rows));

/** A ticket past the last piece of any program. */
export const noTicket = 0x3ff;

export const ticketOf = (turn: number, program: number): number => ((turn & 0xfff) << 20) | (program << 10);

/**
 * Takes pieces and computes them, until none is left.
 *
 * @param own the address of the thread's own memory
 */
export function takeRows(control: Int32Array, tasks: readonly RowsTask[], own: number): void {
  for (;;) {
    const ticket = Atomics.load(control, ticketAt);
    const task = tasks[(ticket >>> 10) & 0x3ff];
    const piece = ticket & 0x3ff;
    if (!task || piece >= piecesOf(task.rows)) return;
    if (Atomics.compareExchange(control, ticketAt, ticket, ticket + 1) !== ticket) continue;
    const size = pieceRows(task.rows);
    task.run(piece * size, Math.min((piece + 1) * size, task.rows), own);
    Atomics.add(control, doneAt, 1);
    Atomics.notify(control, doneAt);
  }
}
