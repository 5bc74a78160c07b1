/** Shows how much of a large table is answered. */
import { count } from '../../training/files/index.ts';
import { bar, duration, fittingParts, type StageLine } from './stage.ts';

/** @param share of the file that is read, from 0 to 1 */
export type RowsProgress = (rows: number, share: number) => void;

/** @param done rows that were answered by an earlier command, and do not count for the rate */
export function rowsProgress(done: number, line: StageLine): RowsProgress {
  const start = performance.now();
  let first: number | undefined;
  return (rows, share) => {
    first ??= share;
    const seconds = (performance.now() - start) / 1000;
    const rate = seconds > 0 ? (rows - done) / seconds : undefined;
    const secondsLeft = share > first ? ((1 - share) * seconds) / (share - first) : undefined;
    line.show(rowsLine({ rows, share, rate, secondsLeft }, line.width));
  };
}

/** The state of the rows. The rate and the time left are absent until they are known. */
export interface RowsAnswered {
  readonly rows: number;
  /** The share of the file. */
  readonly share: number;
  /** Rows per second. */
  readonly rate?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

/**
 * Returns as much as fits, the most important parts first.
 *
 * @param width in characters; undefined for a log, in which bars are of no use
 */
export function rowsLine({ rows, share, rate, secondsLeft }: RowsAnswered, width: number | undefined): string {
  const parts = [
    [width === undefined ? '' : bar(share), 0],
    [`${Math.floor(100 * share)} %`, 4],
    [`${count(rows)} rows`, 3],
    [rate === undefined ? '' : `${count(rate)} rows/s`, 1],
    [secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`, 2],
  ] as const;
  return fittingParts(parts, width);
}
