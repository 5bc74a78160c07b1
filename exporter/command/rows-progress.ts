/** How far a large table is answered. */
import { SingleBar } from 'cli-progress';
import { count } from '../../training/files/index.ts';

export interface RowsProgress {
  /** @param share of the file that is read, from 0 to 1 */
  readonly update: (rows: number, share: number) => void;
  readonly stop: () => void;
}

/** Without a terminal a line is printed so often. */
const LINE_SECONDS = 10;

/** Draws a bar on standard error, or prints a line now and then. @param done rows that were answered before */
export function rowsProgress(done: number): RowsProgress {
  const start = performance.now();
  const rate = (rows: number) => count((1000 * (rows - done)) / Math.max(performance.now() - start, 1));
  if (!process.stderr.isTTY) {
    let next = LINE_SECONDS;
    const update = (rows: number, share: number) => {
      if ((performance.now() - start) / 1000 < next) return;
      next += LINE_SECONDS;
      console.log(`${Math.floor(100 * share)} %: ${count(rows)} rows, ${rate(rows)} rows/s`);
    };
    return { update, stop: () => undefined };
  }
  const bar = new SingleBar({
    format: '{bar} {percentage} %  {rows} rows  {rate} rows/s  {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 16,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  });
  const steps = 1000;
  bar.start(steps, 0, { rows: count(done), rate: '–' });
  return {
    update: (rows, share) => {
      bar.update(Math.floor(steps * share), { rows: count(rows), rate: rate(rows) });
    },
    stop: () => {
      bar.stop();
    },
  };
}
