/** The form of docs/examples turns its inputs into a row, and the page shows the model's answer. */
import { expect, it } from 'vitest';
import { formApp, type PenguinsRow } from '../../../docs/examples/form/app.ts';
import type { Column, Predictor, Session } from '../../../worker/create-worker.ts';
import { rowCalls } from '../../../worker/predict/calls.ts';
import { imageOf } from '../../worker/images.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'island', categories: ['Biscoe', 'Dream', 'Torgersen'], fill: null },
  { kind: 'numeric', name: 'bill_length_mm', fill: 44, range: [32, 60] },
  { kind: 'numeric', name: 'flipper_length_mm', fill: 200 },
];
const labels = ['Adelie', 'Chinstrap', 'Gentoo'] as const;
const asked: (readonly number[])[] = [];
const run: Session['run'] = ({ x }) => {
  asked.push(Array.from(x?.data as ArrayLike<number>));
  return { y: { dtype: 'float32', shape: [1, 3], data: Float32Array.of(0.125, 0.75, 0.125) } };
};
const image = imageOf({ name: 'penguins', kind: 'probabilities', labels, columns, shape: ['N', 3], run });
const penguins = { name: 'penguins', version: '1', ...rowCalls(image, 'penguins') };
const app = formApp(penguins as unknown as Predictor<PenguinsRow, (typeof labels)[number]>);

it('is shown empty', async () => {
  const page = await (await app.request('/')).text();
  expect(page).toContain('<option>Torgersen</option>');
  expect(page).toContain('<output></output>');
});

it.each<[string, Readonly<Record<string, string>>, readonly number[], RegExp]>([
  ['what is typed in', { island: 'Dream', bill: '39.5', flipper: '181' }, [1, 39.5, 181], /<output>Chinstrap \(75 %\)/],
  ['what is left empty', { island: 'Torgersen', bill: '', flipper: '' }, [2, NaN, NaN], /Chinstrap \(75 %\)<\/output>\s*$/],
  ['what is far away', { island: 'Biscoe', bill: '395', flipper: '181' }, [0, 395, 181], /<p role="note">column &quot;bill_length_mm&quot;: 395 is far/],
])('asks for %s', async (_, typed, row, shown) => {
  const answer = await app.request('/', { method: 'POST', body: new URLSearchParams(typed) });
  expect(await answer.text()).toMatch(shown);
  expect(asked.at(-1)).toEqual(row);
}); // oxfmt-ignore
