/**
 * Handles processes: how they are started, how they end on a signal with all that they have started, and how locks keep
 * them out of each other's work.
 */
export { type Ended, endsWithUs, ownGroup, runNode, signalGroup } from './child.ts';
export { exitCodeOf, Interrupted, type Signal, signals } from './interrupted.ts';
export { type Interruption, interruption } from './interruption.ts';
export { isHeld, coalesced, withLock, withLockOrRefuse } from './lock.ts';
export { withScratch } from './scratch.ts';
