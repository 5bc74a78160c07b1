/**
 * How threads share the rows of a program without waiting for each other's start: whoever is awake takes the next few rows. A ticket says
 * which they are; it is one number in memory that all threads see, so that a thread that wakes up late finds nothing to take, or the
 * next program's.
 *
 *     ticket   │ turn, 12 bits │ program, 10 bits │ piece, 10 bits │
 *     done     how many pieces of this turn are computed
 *
 * A row is computed from what lies in memory alone, so that results do not depend on who computes it.
 */

/** In int32. */
export const ticketAt = 0;
export const doneAt = 1;
/** Threads sleep on it: it changes with each turn. */
export const turnAt = 2;
export const controlCells = 3;

const maxPieces = 64;

/** Computes rows of a program, from the first to the one behind the last. */
export type RunRows = (first: number, end: number, own: number) => void;

export interface RowsTask {
  readonly run: RunRows;
  readonly rows: number;
}

/** The functions of a module's instance by which a thread computes rows. */
export const tasksOf = (
  exports: WebAssembly.Exports,
  functions: readonly { readonly name: string; readonly rows: number }[],
): readonly RowsTask[] => functions.map(({ name, rows }) => ({ run: exports[name] as RunRows, rows }));

const pieceRows = (rows: number): number => Math.ceil(rows / maxPieces);
export const piecesOf = (rows: number): number => Math.ceil(rows / pieceRows(rows));

/** Behind the last piece of whatever it is of. */
export const noTicket = 0x3ff;

export const ticketOf = (turn: number, program: number): number => ((turn & 0xfff) << 20) | (program << 10);

/** Takes pieces until none is left, and computes them. @param own the thread's own memory, in bytes */
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
