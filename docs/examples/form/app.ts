/**
 * Serves a page with a form that asks a model, in a Worker of your own. The image is built from the penguins of the
 * README:
 *
 *     import { penguins } from '../.bn-edge/image.mjs';
 *     import { formApp } from './app.ts';
 *
 *     export default formApp(penguins);
 */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Predictor } from 'bn-edge/worker';

const islands = ['Biscoe', 'Dream', 'Torgersen'] as const;

/** The part of a row that the form asks for, with the types that the image gives it. */
export type PenguinsRow = {
  readonly island: (typeof islands)[number];
  readonly bill_length_mm?: number | null;
  readonly flipper_length_mm?: number | null;
};

export function formApp(penguins: Predictor<PenguinsRow, 'Adelie' | 'Chinstrap' | 'Gentoo'>): Hono {
  const app = new Hono();
  app.get('/', (c) => c.html(page()));
  app.post('/', async (c) => {
    const form = await c.req.formData();
    const island = islands.find((name) => name === form.get('island')) ?? islands[0];
    const row = { island, bill_length_mm: numberIn(form, 'bill'), flipper_length_mm: numberIn(form, 'flipper') };
    const { label, probability, warnings = [] } = await penguins.predict(row);
    return c.html(page(`${label ?? 'nobody knows'} (${Math.round(100 * (probability ?? 0))} %)`, warnings));
  });
  return app;
}

/** Reads a number; an empty field means that the value is unknown. */
function numberIn(form: FormData, name: string): number | null {
  const text = form.get(name);
  return typeof text === 'string' && text !== '' ? Number(text) : null;
}

const page = (answer = '', warnings: readonly string[] = []) =>
  html`<!doctype html>
    <title>Which penguin?</title>
    <form method="post">
      <label
        >Island
        <select name="island">
          ${islands.map((name) => html`<option>${name}</option>`)}
        </select></label
      >
      <label>Bill, mm <input name="bill" type="number" step="any" /></label>
      <label>Flipper, mm <input name="flipper" type="number" step="any" /></label>
      <button>Ask</button>
    </form>
    <output>${answer}</output>
    ${warnings.map((warning) => html`<p role="note">${warning}</p>`)}`;
