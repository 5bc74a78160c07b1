/** The machine that a benchmark ran on, since a number without its machine says nothing. */
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';

/** One line: processor, cores, memory, system, Node. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/** Processes that wanted a core, averaged over one minute: much above 0 before a benchmark starts means company. */
export const describeLoad = (): string => `load ${(loadavg()[0] ?? 0).toFixed(2)}`;
