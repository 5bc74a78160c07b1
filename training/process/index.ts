/** What a process owes to others: it ends when it is told to, with all that it has started, and keeps out of another's work. */
export { type Ended, endsWithUs, ownGroup, runNode, signalGroup } from './child.ts';
export { exitCodeOf, Interrupted, type Signal, signals } from './interrupted.ts';
export { type Interruption, interruption } from './interruption.ts';
export { isHeld, lastDoes, withLock, withLockOrRefuse } from './lock.ts';
export { withScratch } from './scratch.ts';
