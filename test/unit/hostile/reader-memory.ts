/**
 * Prints the bytes by which reading a file raises the process's peak memory: `node --expose-gc --single-threaded-gc
 * --import tsx reader-memory.ts <format> <path>`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { largeFiles, type LargeFormat } from './large-files.ts';

/** Returns the peak. Linux counts the peak of the parent process into `maxRSS`; VmHWM starts anew. */
const peak = (): number =>
  1024 *
  (existsSync('/proc/self/status')
    ? Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    : process.resourceUsage().maxRSS);

const [format, path = ''] = process.argv.slice(2);
globalThis.gc?.();
const before = process.memoryUsage.rss();
await largeFiles[format as LargeFormat].read(path);
console.log(peak() - before);
