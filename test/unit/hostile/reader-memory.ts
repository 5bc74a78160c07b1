/** `node --expose-gc --import tsx reader-memory.ts <format> <path>` prints by how many bytes reading raises the process's peak. */
import { largeFiles, type LargeFormat } from './large-files.ts';

const [format, path = ''] = process.argv.slice(2);
globalThis.gc?.();
const before = process.memoryUsage.rss();
await largeFiles[format as LargeFormat].read(path);
console.log(process.resourceUsage().maxRSS * 1024 - before);
