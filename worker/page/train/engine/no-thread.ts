/**
 * The second thread of a compiled step, where there is none: it is Node's. The bundler puts this module in place of
 * `training/trainer/compiled/start-thread.ts`, so that none of it is in the page, whose steps are on one thread.
 */

export function startThread(): never {
  throw new Error('internal: steps of the page are on one thread');
}
