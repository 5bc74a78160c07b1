/**
 * What a command is at. A terminal shows it in one line that is written over, never wider than the terminal; elsewhere, in the log of
 * a build say, a line is written every ten seconds where it takes so long.
 */
import { atExit } from '../../training/files/index.ts';
import { inLines } from './table.ts';

export interface StageLine extends Disposable {
  /**
   * @param stage nothing where somebody else tells what is under way
   * @param of which of several things the stage is about, such as a model
   */
  readonly show: (stage: string, of?: string) => void;
  /** How many characters a stage may have, where a terminal shows it. */
  readonly width: number | undefined;
  /** Makes room for other lines. */
  readonly clear: () => void;
  /** Prints a line that stays, on standard output: in a terminal on as many as it takes, so that words stay whole. */
  readonly print: (line: string) => void;
}

/** What is needed of a stream. */
export interface StageStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
}

const lineEveryMs = 10_000;

/** A part of a line with its weight: parts of the least are left out first. */
export type Part = readonly [text: string, importance: number];

/** As many parts of a line as fit, in their order. @param width in characters; undefined where there is no end */
export function fitted(parts: readonly Part[], width: number | undefined): string {
  const told = parts.filter(([text]) => text !== '');
  const weights = told.map(([, importance]) => importance).sort((a, b) => a - b);
  const lines = weights.map((least) =>
    told
      .filter(([, importance]) => importance >= least)
      .map(([text]) => text)
      .join('  '),
  );
  return lines.find((line) => line.length <= (width ?? Infinity)) ?? '';
}

/** A share from 0 to 1 as a picture of 16 characters. */
export function bar(share: number): string {
  const full = Math.round(16 * share);
  return `${'█'.repeat(full)}${'░'.repeat(16 - full)}`;
}

/** The time that is left, rounded up. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** @param what the command is, the first word of each line */
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
  const columns = () => (stream.columns ?? 80) - 1;
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
