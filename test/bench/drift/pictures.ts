/**
 * Measures drift on digits that the networks of models/ were not trained on: unchanged, and under corruptions of five
 * strengths.
 */
import { readFile } from 'node:fs/promises';
import Table from 'cli-table3';
import { corrupted, corruptionNames, strengths } from '../../../docs/experiments/lab/corruptions.ts';
import type { Backend } from '../../../training/backend/index.ts';
import {
  type ClassificationDataset,
  createRandom,
  loadMnist,
  type Random,
  subset,
} from '../../../training/data/index.ts';
import type { Measurement } from '../measurement.ts';
import { falseAlarmRates, noticed, samplesToNotice, type Traffic } from './alarms.ts';
import { layersOf, type Moments, momentsOf, type Subject, subjectOf } from './moments.ts';

/** The number of test images under each corruption. */
const CORRUPTED = 2000;
/** The share of corrupted images where not all are. */
const PART = 0.1;
/** The number of windows with drift for each size. */
const WINDOWS = 20;

export async function pictures(backend: Backend, windows: number): Promise<readonly Measurement[]> {
  const { test } = await loadMnist({ seed: 0 });
  const found: Measurement[] = [];
  for (const name of ['mnist-cnn', 'mnist-mlp']) {
    const subject = subjectOf(new Uint8Array(await readFile(`models/${name}/model.onnx`)));
    const random = createRandom(1).fork(name);
    const clean = await momentsOf(subject, test, backend);
    found.push(...falseAlarmRates(name, trafficOf(subject, clean, test.count), windows, random));
    found.push(...(await detection(name, subject, test, backend, random)));
  }
  return found;
}

const trafficOf = ({ layers }: Subject, moments: readonly Moments[], count: number): Traffic => ({
  count,
  reference: { layers, columns: [] },
  window: (places) => ({
    start: 0,
    samples: places.length,
    layers: layersOf(moments, places),
    columns: {},
    classes: {},
  }),
});

async function detection(
  name: string,
  subject: Subject,
  test: ClassificationDataset,
  backend: Backend,
  random: Random,
): Promise<readonly Measurement[]> {
  const images = subset(
    test,
    Int32Array.from({ length: CORRUPTED }, (_, i) => i),
  );
  const clean = await momentsOf(subject, images, backend);
  const table = new Table({ head: [`${name}, samples to notice`, ...strengths.map(String)], style: { head: [] } });
  const found: Measurement[] = [];
  for (const corruption of corruptionNames) {
    const rows: string[][] = [[], []];
    for (const strength of strengths) {
      const changed = await momentsOf(subject, corrupted(images, corruption, strength), backend);
      for (const [i, share] of [1, PART].entries()) {
        const traffic = trafficOf(subject, mixedOf(clean, changed, share), CORRUPTED);
        const samples = samplesToNotice(traffic, WINDOWS, random);
        rows[i]?.push(noticed(samples));
        const path = `drift/${name}/${corruption}/${strength}/${share === 1 ? 'all' : `${PART}`}`;
        if (samples !== undefined) found.push({ name: path, value: samples, unit: 'samples' });
      }
    }
    rows.forEach((row, i) => table.push([i === 0 ? corruption : `${corruption}, of ${100 * PART} % of them`, ...row]));
  }
  console.log(table.toString());
  return found;
}

/** Replaces the moments of the first samples, a share of all, with those of the changed samples. */
const mixedOf = (clean: readonly Moments[], changed: readonly Moments[], share: number): readonly Moments[] =>
  clean.map(({ layer, mean, square }, i) => ({
    layer,
    mean: withFirst(mean, changed[i]?.mean ?? mean, share),
    square: withFirst(square, changed[i]?.square ?? square, share),
  }));

function withFirst(values: Float64Array, others: Float64Array, share: number): Float64Array {
  const mixed = values.slice();
  mixed.set(others.subarray(0, Math.round(share * values.length)));
  return mixed;
}
