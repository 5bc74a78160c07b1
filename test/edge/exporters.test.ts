/**
 * Files that today's exporters write are added, built into an image, and answer over HTTP.
 * test/fixtures/exporters/make.py makes them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { makeImage } from '../../exporter/edge/image.ts';
import { type AddedModel, addModel } from '../../exporter/model/add.ts';
import type { BatchNormUse } from '../../exporter/served/normalization.ts';
import { switchName } from '../../exporter/served/switchable.ts';
import { readCard } from '../../exporter/store/card.ts';
import { readModels } from '../../exporter/store/registry.ts';
import { createWorker } from '../../worker/create-worker.ts';
import { ingredientsOf, startImage } from './subjects.ts';
import { expectAllClose } from '../reference/close.ts';

interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface Expected {
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The outputs of ONNX Runtime in Python. Outputs of text are left out: they are not served. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The classes that the library itself returns. */
  readonly classes?: readonly (number | string)[];
  readonly probabilities?: Tensor;
  readonly inference?: Readonly<Record<string, Tensor>>;
}

interface Case {
  readonly batchNorm?: BatchNormUse;
  /** Counts the Batch Norm layers that are described. */
  readonly layers?: number;
  readonly note?: RegExp;
  /** Names the output that holds the library's probabilities. */
  readonly probabilities?: string;
  readonly kind: 'logits' | 'probabilities' | 'class' | 'number';
}

const folded = /exporters fold them into the layer before/;

const cases: Readonly<Record<string, Case>> = {
  pytorch: { kind: 'logits', note: folded },
  'pytorch-unfolded': { kind: 'logits', layers: 3 },
  'pytorch-training': { kind: 'logits', layers: 3, batchNorm: 'inference' },
  simplified: { kind: 'logits', layers: 2 },
  'quantized-qdq': { kind: 'logits', note: folded },
  'quantized-operator': { kind: 'logits', note: folded },
  'quantized-dynamic': { kind: 'logits', note: folded },
  keras: { kind: 'probabilities', note: folded },
  'sklearn-forest': {
    kind: 'probabilities',
    probabilities: 'output_probability',
    note: /a list of dictionaries: served/,
  },
  'sklearn-pipeline': { kind: 'probabilities', probabilities: 'output_probability', note: /is texts: not served/ },
  'sklearn-regression': { kind: 'number' },
  // This is the nearest centre, whose distance is the smallest of the scores.
  'sklearn-clusters': { kind: 'class' },
  lightgbm: { kind: 'probabilities', probabilities: 'probabilities', note: /a list of dictionaries: served/ },
  xgboost: { kind: 'probabilities', probabilities: 'probabilities' },
};

const folder = mkdtempSync(join(tmpdir(), 'bn-edge-exporters-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(Object.entries(cases))('a model of %s', (name, { batchNorm, layers = 0, note, probabilities, kind }) => {
  const expected = JSON.parse(readFileSync(`test/fixtures/exporters/${name}/expected.json`, 'utf8')) as Expected;
  const models = join(folder, name);
  let added: AddedModel;
  let worker: ReturnType<typeof createWorker>;
  let inputs: readonly object[];

  beforeAll(async () => {
    added = await addModel({ file: `test/fixtures/exporters/${name}/model.onnx`, name, models, batchNorm });
    const [model] = readModels(models).models;
    if (!model) throw new Error('internal: expected a model');
    const image = await startImage(await makeImage(await ingredientsOf({ [`${name}/model`]: model.files.model })));
    worker = createWorker(
      { models: [model.about], sessions: image.runtime.sessionsOf(image), switchName },
      { explain: true },
    );
    inputs = await requestInputs(models, name, expected);
  }, 120_000);

  const ask = async (route: string): Promise<{ status: number; body: unknown }> => {
    const init = { method: 'POST', body: JSON.stringify({ inputs }), headers: { 'content-type': 'application/json' } };
    const answer = await worker.fetch(new Request(`http://worker/v2/models/${name}/${route}`, init), {
      LOG_REQUESTS: false,
    });
    return { status: answer.status, body: await answer.json() };
  };

  it('answers as ONNX Runtime and the library do', async () => {
    const { status, body } = await ask('infer');
    expect({ status, body }).toMatchObject({ status: 200 });
    const { outputs } = body as { outputs: { name: string; shape: number[]; data: number[] }[] };
    const served = new Map(outputs.map((output) => [output.name, output]));
    const wanted = Object.entries(expected.inference ?? expected.outputs).filter(
      ([, { data }]) => typeof data[0] === 'number',
    );
    if (probabilities !== undefined && expected.probabilities) wanted.push([probabilities, expected.probabilities]);
    for (const [output, tensor] of wanted) {
      expect(served.get(output)?.shape).toEqual(tensor.shape);
      expectAllClose(output, served.get(output)?.data, tensor.data.map(Number), { rtol: 5e-6, ofLargest: 1e-6 });
    }
  });

  it('is classified as the library does, or refused where it has no classes', async () => {
    const { status, body } = await ask('classify');
    if (kind === 'number') {
      expect(status).toBe(404);
      return;
    }
    const { predictions } = body as { predictions: { label: string }[] };
    if (expected.classes) expect(predictions.map(({ label }) => label)).toEqual(expected.classes.map(String));
    else expect(status).toBe(200);
  });

  it('answers rows in their own words, where it takes named columns', async () => {
    const [{ columns } = {}] = (await readCard(models, name)).inputs ?? [];
    expect(columns?.map((column) => column.name)).toEqual(
      name === 'sklearn-pipeline' ? ['age', 'income', 'plan'] : undefined,
    );
    if (!columns) return;
    const rows = (expected.classes ?? []).map((_, i) =>
      Object.fromEntries(columns.map((column) => [column.name, expected.inputs[column.name]?.data[i]])),
    );
    const predict = (instances: readonly object[]) =>
      worker.fetch(
        new Request(`http://worker/v1/models/${name}:predict`, {
          method: 'POST',
          body: JSON.stringify({ instances }),
          headers: { 'content-type': 'application/json' },
        }),
        { LOG_REQUESTS: false },
      );
    const answer = await predict(rows);
    const { predictions } = (await answer.json()) as { predictions: { label: string }[] };
    expect(predictions.map(({ label }) => label)).toEqual(expected.classes);
    const unknown = await predict([{ ...rows[0], plan: 'never seen' }]);
    expect(unknown.status).toBeGreaterThanOrEqual(400);
    expect(unknown.status).toBeLessThan(500);
  });

  it('is described as far as its file says', () => {
    expect(added).toMatchObject({ batchNormLayers: layers, ...(added.output && { output: { kind } }) });
    if (note) expect(added.notes.join('\n')).toMatch(note);
  });
});

/**
 * Returns the inputs of a request. Texts become indices among the categories of their column; all columns are in one
 * tensor then.
 */
async function requestInputs(models: string, name: string, { inputs }: Expected): Promise<readonly object[]> {
  const [input] = (await readCard(models, name)).inputs ?? [];
  const { columns } = input ?? {};
  if (!input || !columns) {
    return Object.entries(inputs).map(([name, tensor]) => ({ name, datatype: 'FP32', ...tensor }));
  }
  const rows = Object.values(inputs)[0]?.data.length ?? 0;
  const data = Array.from({ length: rows }, (_, row) =>
    columns.map((column) => {
      const value = inputs[column.name]?.data[row] ?? NaN;
      return column.kind === 'categorical' ? column.categories.indexOf(String(value)) : Number(value);
    }),
  );
  return [{ name: input.name, datatype: 'FP32', shape: [rows, columns.length], data: data.flat() }];
}
