/**
 * Makes an image with a model of each kind: penguins is trained, exported and built with its twin; the others are
 * written here.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { plainPreparation } from '../../training/pictures/index.ts';
import { trainToFolder } from '../../training/run/index.ts';
import type { Column, Image, Session } from '../../worker/create-worker.ts';
import { imageOf } from '../worker/images.ts';

/** @param folder an empty folder to work in */
export async function imageOfEachKind(folder: string): Promise<Image> {
  const backend = await nativeBackend({ threads: 1 });
  const { checkpoint } = await trainToFolder({
    data: { path: 'test/fixtures/penguins.csv', label: 'species' },
    hidden: [16],
    config: {
      ...{ optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9 },
      ...{ seed: 1, epochs: 8, batchSize: 32 },
    },
    backend: 'native',
    threads: 1,
    out: join(folder, 'runs', 'penguins'),
  });
  const models = join(folder, 'models');
  await exportModel({ checkpoint, name: 'penguins', models, explain: true }, backend);
  await buildImage({ models, out: join(folder, 'image'), unoptimized: true, trim: false });
  const { default: trained } = (await import(pathToFileURL(join(folder, 'image', 'image.mjs')).href)) as {
    default: Image;
  };
  return { ...trained, models: [...trained.models, ...byHand.models], sessions: joined(trained, byHand) };
}

const joined = (...images: readonly Image[]): Image['sessions'] =>
  new Map(images.flatMap(({ sessions }) => [...sessions]));

const answersBy =
  (score: (values: Float32Array) => readonly number[]): Session['run'] =>
  ({ x }, names = ['y']) => {
    const [batch = 0] = x?.shape ?? [];
    const values = Float32Array.from(x?.data as ArrayLike<number>);
    const size = values.length / batch;
    const rows = Array.from({ length: batch }, (_, i) => score(values.subarray(i * size, (i + 1) * size)));
    const data = Float32Array.from(rows.flat());
    return Object.fromEntries(
      names.map((name) => [name, { dtype: 'float32', shape: [batch, data.length / batch], data }]),
    );
  };

const house: readonly Column[] = [
  { kind: 'numeric', name: 'area', unit: 'm²', range: [20, 220], typical: 100, fill: null },
  { kind: 'categorical', name: 'heating', categories: ['gas', 'oil'], typical: 'gas', fill: null },
  { kind: 'date', name: 'sold', parts: ['year'], order: 'YMD', years: [2019, 2024], fill: 2021 },
];

const byHand = imageOf(
  {
    ...{ name: 'houses', kind: 'number', shape: ['N', 3], columns: house },
    interval: { level: 0.9, halfWidth: 20_000, coverage: 0.912 },
    importance: {
      ...{ measure: 'RMSE', rows: 400, repeats: 5 },
      columns: [
        { name: 'area', mean: 61_200, deviation: 2100 },
        { name: 'heating', mean: 2400, deviation: 150 },
        { name: 'sold', mean: -3, deviation: 40 },
      ],
    },
    run: answersBy(([area = 0, heating = 0, year = 2021]) => [1000 * area + 5000 * heating + (year || 2021)]),
  },
  {
    ...{ name: 'photos', kind: 'logits', labels: ['dark', 'bright'], shape: ['N', 3, 4, 6] },
    picture: plainPreparation({ rows: 4, columns: 6 }, 3),
    run: answersBy((pixels) => [0, (pixels.reduce((sum, value) => sum + value, 0) / pixels.length - 127) / 32]),
  },
  { name: 'raw', shape: ['N', 2] },
);
