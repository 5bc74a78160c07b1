/** Measures how busy other processes keep this machine's cores. */
import { cpus } from 'node:os';

/** Times in milliseconds, each since an arbitrary start. */
export interface Clocks {
  /** The time that all cores together have worked, for any process. */
  readonly busy: number;
  /** The time that all cores together have worked for this process. */
  readonly own: number;
  readonly now: number;
}

function readClocks(): Clocks {
  const { user, system } = process.cpuUsage();
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { busy, own: (user + system) / 1000, now: performance.now() };
}

/**
 * The minimum span of a measurement, in milliseconds. Shorter ones say little, since systems count in hundredths of a
 * second.
 */
const minSpan = 500;

/** Returns a function that tells how many cores other processes have kept busy lately, at first none. */
export function foreignLoad(read: () => Clocks = readClocks): () => number {
  let before = read();
  let load = 0;
  return () => {
    const after = read();
    const span = after.now - before.now;
    if (span >= minSpan) {
      load = Math.max(after.busy - before.busy - (after.own - before.own), 0) / span;
      before = after;
    }
    return load;
  };
}

/**
 * Makes a load cheap to ask for: it is measured, which takes a millisecond, after the minimum span at the earliest, and
 * repeated until then.
 */
export function throttled(load: () => number, now: () => number = () => performance.now()): () => number {
  let [last, readAt] = [0, -Infinity];
  return () => {
    if (now() - readAt >= minSpan) [last, readAt] = [load(), now()];
    return last;
  };
}
