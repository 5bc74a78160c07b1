/** Limits the threads of a compiled step to two where several are asked for and memory can be shared, else to one. */
import type { Backend } from '../../backend/index.ts';
import type { Threads } from '../../compile/index.ts';

/** Returns the maximum number of threads. The bits of a step are the same on one as on two. */
export const maxThreads = ({ threads = 1, sharesMemory = false }: Pick<Backend, 'threads' | 'sharesMemory'>): Threads =>
  threads > 1 && sharesMemory ? 2 : 1;
