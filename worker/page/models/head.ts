/** Shows what a model is: its name, its description, and which of its versions is shown. */
import type { Model } from '../api/model.ts';
import { make } from '../dom.ts';
import { plural } from '../format.ts';
import { addressOf } from './address.ts';

export function createHead(model: Model): HTMLElement {
  const { name, parameters } = model;
  const description =
    parameters.description === undefined ? [] : [make('p', { className: 'lead' }, parameters.description)];
  const facts = make('p', { className: 'facts' }, factsOf(model));
  return make('header', { className: 'head' }, make('h1', {}, name), ...description, facts, ...versionsOf(model));
}

function factsOf({ inputs, parameters: { columns, picture, output, labels } }: Model): string {
  const takes = columns
    ? `a row of ${plural(columns.length, 'column')}`
    : picture
      ? `a ${picture.drawing ? 'drawing' : 'picture'}, ${picture.columns} × ${picture.rows}`
      : plural(inputs.length, 'tensor');
  return `${takes} → ${answers(output?.kind, labels)}`;
}

function answers(kind: string | undefined, labels: readonly string[] | undefined): string {
  if (kind === undefined) return 'tensors';
  if (kind === 'number') return 'a number';
  const many = labels ? `${labels.length} classes` : 'classes';
  return kind === 'multi-label' ? `any of ${labels?.length ?? 'its'} labels` : `one of ${many}`;
}

function versionsOf({ name, version, versions }: Model): HTMLElement[] {
  if (versions.length < 2) return [make('p', { className: 'facts' }, `version ${version}`)];
  const options = versions.map((each, i) =>
    make('option', { value: each, selected: each === version }, i === 0 ? `${each} (current)` : each),
  );
  const select = make('select', { id: 'version' }, ...options);
  select.addEventListener('change', () => {
    location.hash = addressOf({ name, ...(select.value !== versions[0] && { version: select.value }) });
  });
  return [make('p', { className: 'facts' }, make('label', { htmlFor: select.id }, 'version '), select)];
}
