/**
 * Shows the current stage of a command. A terminal shows it in one line that is overwritten and never wider than the
 * terminal. Elsewhere, for example in the log of a build, a line is written every ten seconds.
 */
import { atExit } from '../../training/files/index.ts';
import { inLines, lineWidth } from './table.ts';

export interface StageLine extends Disposable {
  /**
   * @param stage empty if another process shows its stages
   * @param of the item that the stage is about, such as a model
   */
  readonly show: (stage: string, of?: string) => void;
  /** The number of characters that a stage may have in a terminal; undefined elsewhere. */
  readonly width: number | undefined;
  /** Clears the line, to make room for others. */
  readonly clear: () => void;
  /** Prints a line that stays, on standard output: in a terminal on as many as it takes, so that words stay whole. */
  readonly print: (line: string) => void;
}

/** The members of a stream that are used here. */
export interface StageStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
}

const lineEveryMs = 10_000;

/** A part of a line with its weight: the least important parts are left out first. */
export type LinePart = readonly [text: string, importance: number];

/**
 * Returns as many parts of a line as fit, in their order.
 *
 * @param width in characters; undefined for no limit
 */
export function fittingParts(parts: readonly LinePart[], width: number | undefined): string {
  const filled = parts.filter(([text]) => text !== '');
  const weights = filled.map(([, importance]) => importance).sort((a, b) => a - b);
  const lines = weights.map((min) =>
    filled
      .filter(([, importance]) => importance >= min)
      .map(([text]) => text)
      .join('  '),
  );
  return lines.find((line) => line.length <= (width ?? Infinity)) ?? '';
}

/** Draws a share from 0 to 1 as a bar of 16 characters. */
export function bar(share: number): string {
  const full = Math.round(16 * share);
  return `${'█'.repeat(full)}${'░'.repeat(16 - full)}`;
}

/** Formats the time that is left, rounded up. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** @param what the name of the command, which begins each line */
export const stageLine = (what: string, stream: StageStream = process.stderr, everyMs = lineEveryMs): StageLine =>
  stream.isTTY ? writtenOver(what, stream) : oneByOne(what, stream, everyMs);

const startOfLine = '\r\x1B[K';

function writtenOver(what: string, stream: StageStream): StageLine {
  let isShown = false;
  const clear = () => {
    if (isShown) stream.write(startOfLine);
    isShown = false;
  };
  const end = atExit(clear);
  const columns = () => (stream.columns ?? lineWidth) - 1;
  return {
    show: (stage, of = '') => {
      if (stage === '') {
        clear();
        return;
      }
      const line = `${what}: ${stage} ${of}`.trimEnd();
      stream.write(`${startOfLine}${line.slice(0, columns())}`);
      isShown = true;
    },
    get width() {
      return columns() - `${what}: `.length;
    },
    clear,
    print: (line) => {
      clear();
      console.log(line.includes('\n') ? line : inLines(line.split(' '), { between: ' ' }));
    },
    [Symbol.dispose]: () => {
      end[Symbol.dispose]();
      clear();
    },
  };
}

function oneByOne(what: string, stream: StageStream, everyMs: number): StageLine {
  let [current, since] = ['', performance.now()];
  const timer = setInterval(() => {
    const silence = performance.now() - since;
    const duration = silence < everyMs ? '' : `, for ${Math.round(silence / 1000)} s`;
    if (current !== '') stream.write(`${what}: ${current}${duration}\n`);
  }, everyMs);
  timer.unref();
  return {
    show: (stage, of = '') => {
      [current, since] = [`${stage} ${of}`.trimEnd(), performance.now()];
    },
    width: undefined,
    clear: () => {
      current = '';
    },
    print: (line) => {
      console.log(line);
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
}
