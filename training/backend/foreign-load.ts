/** What other processes do with this machine's cores. */
import { cpus } from 'node:os';

/** Milliseconds since some beginning. */
export interface Clocks {
  /** Of all cores together, at work for anyone. */
  readonly busy: number;
  /** Of all cores together, at work for this process. */
  readonly own: number;
  readonly now: number;
}

function readClocks(): Clocks {
  const { user, system } = process.cpuUsage();
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { busy, own: (user + system) / 1000, now: performance.now() };
}

/** Milliseconds; shorter spans say little, since systems count in hundredths of a second. */
const minSpan = 500;

/** @returns how many cores others have kept busy lately: none to begin with */
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

/** The same, asked as often as one likes: clocks are not read again before they say something, since reading them takes a millisecond. */
export function askedSeldom(load: () => number, now: () => number = () => performance.now()): () => number {
  let [last, asked] = [NaN, -Infinity];
  return () => {
    if (now() - asked >= minSpan) [last, asked] = [load(), now()];
    return last;
  };
}
