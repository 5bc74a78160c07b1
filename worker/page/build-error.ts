/** Under `wrangler dev`, where models cannot be built: those of before answer, and the page says so. */
import { read } from './api/request.ts';
import { find, make } from './dom.ts';

export async function showBuildError(): Promise<void> {
  const { build_error: error } = (await read('v2')) as { readonly build_error?: string };
  if (error === undefined) return;
  const text = `The models that lie there now cannot be built; those of before answer.\n${error}`;
  find('main', HTMLElement).before(make('pre', { role: 'alert', className: 'build-error' }, text));
}
