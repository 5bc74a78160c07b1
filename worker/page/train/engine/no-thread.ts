/**
 * Replaces `training/trainer/compiled/start-thread.ts` in the page's bundle: the second thread of a compiled step is
 * Node's, and the steps of the page are on one thread.
 */

export function startThread(): never {
  throw new Error('internal: steps of the page are on one thread');
}
