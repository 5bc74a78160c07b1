/** The machine that a benchmark ran on, since a number without its machine says nothing. */
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';

/** One line: processor, cores, memory, system, Node. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/** Processes that wanted a core, averaged over one minute; a benchmark counts among them while it runs. */
export const describeLoad = (): string => `load ${(loadavg()[0] ?? 0).toFixed(2)}`;

/** Whether others use the machine, to be asked before a benchmark starts: it makes even ratios wrong. */
export const isBusy = (): boolean => (loadavg()[0] ?? 0) > 0.5;
