/** Shows what to do when there is no model to show. */
import { KeyRequired } from '../api/key.ts';
import { make } from '../dom.ts';
import type { ModelAddress } from './address.ts';

export function noModels(): HTMLElement {
  const commands = [
    'npx bn-edge train customers.csv --label churned',
    'npx bn-edge export runs/customers --explain',
    'npx wrangler dev',
  ];
  return make(
    'div',
    { className: 'nothing' },
    make('h1', {}, 'No model yet'),
    make(
      'p',
      { className: 'lead' },
      'This Worker serves no model. Train one on a table, export it, and look here again:',
    ),
    make('pre', {}, make('code', {}, commands.join('\n'))),
  );
}

/** Shows that the Worker gave no answer, or wants its key first. */
export function noAnswer(error: unknown): HTMLElement {
  const title = error instanceof KeyRequired ? 'Locked' : 'No answer';
  const message = error instanceof Error ? error.message : String(error);
  return make(
    'div',
    { className: 'nothing' },
    make('h1', {}, title),
    make('p', { className: 'lead', role: 'status' }, message),
  );
}

/** @param names the names of the models that are served */
export function noSuchModel({ name, version }: ModelAddress, names: readonly string[]): HTMLElement {
  const what = version === undefined ? name : `${name}, version ${version}`;
  const there = names.length === 0 ? '' : ` These are: ${new Intl.ListFormat('en').format(names)}.`;
  return make(
    'div',
    { className: 'nothing' },
    make('h1', {}, what),
    make('p', { className: 'lead' }, `This model is not served here.${there}`),
  );
}
