/** Describes the machine that a benchmark runs on, since a number without its machine says nothing. */
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';

/** Returns one line: processor, cores, memory, system, Node. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/**
 * Returns the load: the processes that wanted a core, averaged over one minute. A running benchmark counts among them.
 */
export const describeLoad = (): string => `load ${(loadavg()[0] ?? 0).toFixed(2)}`;

/** Returns whether other processes use the machine, which distorts even ratios. Ask before a benchmark starts. */
export const isBusy = (): boolean => (loadavg()[0] ?? 0) > 0.5;
