/**
 * Shows what the server tells of itself: whether it has a reference, and, under `wrangler dev`, why models cannot be
 * built.
 */
import { read } from './api/request.ts';
import { find, make } from './dom.ts';

export async function showServer(): Promise<void> {
  const { docs, build_error: error } = (await read('v2')) as {
    readonly docs?: string;
    readonly build_error?: string;
  };
  find('#docs', HTMLElement).hidden = docs === undefined;
  if (error === undefined) return;
  const text = `The current models cannot be built; the previous ones answer.\n${error}`;
  find('main', HTMLElement).before(make('pre', { role: 'alert', className: 'build-error' }, text));
}
