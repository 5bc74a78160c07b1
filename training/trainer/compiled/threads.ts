/** How many threads a compiled step has: two where that is asked for and memory can be shared. */
import type { Backend } from '../../backend/index.ts';
import type { Threads } from '../../compile/index.ts';

/** At most; the bits of a step are the same on one as on two. */
export const maxThreads = ({ threads = 1, sharesMemory = false }: Pick<Backend, 'threads' | 'sharesMemory'>): Threads =>
  threads > 1 && sharesMemory ? 2 : 1;
