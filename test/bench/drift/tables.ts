/** Measures drift on rows that networks were not trained on: unchanged, and with one column changed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { exportModel } from '../../../exporter/model/export.ts';
import type { Backend } from '../../../training/backend/index.ts';
import { loadModel } from '../../../training/checkpoint/index.ts';
import {
  type Column,
  columnCounter,
  type ColumnReference,
  referencesOf,
  widthOf,
} from '../../../training/columns/index.ts';
import { type ClassificationDataset, createRandom, type Dataset, type Random } from '../../../training/data/index.ts';
import { trainToFolder } from '../../../training/run/index.ts';
import { runOverSamples } from '../../../training/trainer/index.ts';
import { classLogits, predictions } from '../../../training/objective/index.ts';
import type { Reference } from '../../../worker/drift/assess.ts';
import type { Measurement } from '../measurement.ts';
import { preparePandas, SHARE, splitOf, type Table as Source, tablesOf } from '../tables/data.ts';
import { falseAlarmRates, noticed, samplesToNotice, type Traffic } from './alarms.ts';
import { layersOf, momentsOf, type Subject, subjectOf } from './moments.ts';

const names = ['wa_churn', 'adult'];
/** The number of numeric columns that are shifted. */
const MOVED = 4;
/** The number of windows with drift for each size. */
const WINDOWS = 20;
const SEED = 0;
/** The number of passes over the rows: enough for the running statistics to settle. */
const EPOCHS = 3;

export async function tables(backend: Backend, windows: number): Promise<readonly Measurement[]> {
  preparePandas();
  const found: Measurement[] = [];
  for (const table of (await tablesOf(undefined)).filter(({ name }) => names.includes(name))) {
    const trained = await train(table, backend);
    const random = createRandom(1).fork(table.name);
    found.push(...falseAlarmRates(table.name, await trafficOf(trained, trained.rows, backend), windows, random));
    found.push(...(await detection(table.name, trained, backend, random)));
  }
  return found;
}

interface Trained {
  readonly subject: Subject;
  readonly columns: readonly Column[];
  readonly references: readonly ColumnReference[];
  /** The test and validation parts, neither of which the network was trained on. */
  readonly rows: ClassificationDataset;
  readonly train: ClassificationDataset;
}

async function train(table: Source, backend: Backend): Promise<Trained> {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-drift-'));
  try {
    const { checkpoint } = await trainToFolder({
      data: { path: table.path, label: table.label, validationShare: SHARE, testShare: SHARE },
      config: { optimizer: 'adam', learningRate: 0.003, schedule: 'cosine', bnMomentum: 0.9, seed: SEED, epochs: EPOCHS, batchSize: 64 }, // oxfmt-ignore
      backend: 'native',
      threads: 1,
      out: join(folder, 'run'),
    });
    await exportModel({ checkpoint, name: 'table', models: folder }, backend);
    const { columns = [] } = await loadModel(checkpoint);
    const { parts } = await splitOf(table, SEED);
    return {
      subject: subjectOf(new Uint8Array(await readFile(join(folder, 'table', 'model.onnx')))),
      columns,
      references: referencesOf(columns, parts.train.inputs, parts.train.count),
      rows: classesOnly(parts.test),
      train: classesOnly(parts.train),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function trafficOf(trained: Trained, rows: ClassificationDataset, backend: Backend): Promise<Traffic> {
  const { subject, columns, references } = trained;
  const moments = await momentsOf(subject, rows, backend);
  const answers = await answersOf(subject, rows, backend);
  const counters = columnCounter(columns, references);
  const width = rows.inputShape[0] ?? 1;
  return {
    count: rows.count,
    reference: {
      layers: subject.layers,
      trained: trained.train.count,
      classes: expectedOf(trained.train),
      columns: references.map(({ name, samples, shares, missing }) => ({
        name,
        samples,
        shares: [...shares, missing],
      })),
    },
    window: (places) => {
      const own = new Float64Array(places.length * width);
      places.forEach((place, i) => {
        own.set(rows.inputs.subarray(place * width, (place + 1) * width), i * width);
      });
      return {
        start: 0,
        samples: places.length,
        layers: layersOf(moments, places),
        columns: Object.fromEntries(counters.map(({ name, count }) => [name, count(own, places.length)])),
        classes: countsOf(places, (place) => rows.classes[answers[place] ?? NaN] ?? ''),
      };
    },
  };
}

/**
 * Shifts one column of all rows by a multiple of its standard deviation, and measures how many samples it takes until
 * nearly all windows alarm.
 */
async function detection(
  name: string,
  trained: Trained,
  backend: Backend,
  random: Random,
): Promise<readonly Measurement[]> {
  const moves = [0.25, 0.5, 1];
  const table = new Table({
    head: [`${name}, samples to notice`, ...moves.map((move) => `+${move} σ`)],
    style: { head: [] },
  });
  const found: Measurement[] = [];
  for (const { column, at } of numbersOf(trained.columns).slice(0, MOVED)) {
    const row = [column.name];
    for (const move of moves) {
      const traffic = await trafficOf(trained, movedIn(trained.rows, at, move), backend);
      const samples = samplesToNotice(traffic, WINDOWS, random);
      row.push(noticed(samples));
      const path = `drift/${name}/${column.name}/${move}`;
      if (samples !== undefined) found.push({ name: path, value: samples, unit: 'samples' });
    }
    table.push(row);
  }
  console.log(table.toString());
  return found;
}

/** Returns the numeric columns, each with its index in a row. */
function numbersOf(columns: readonly Column[]) {
  let place = 0;
  return columns.flatMap((column) => {
    const at = place;
    place += widthOf(column);
    return column.kind === 'numeric' ? [{ column, at }] : [];
  });
}

/** Returns the index of the predicted class of each row. */
async function answersOf({ bytes, input, output }: Subject, rows: ClassificationDataset, backend: Backend) {
  const session = await backend.loadSession(bytes);
  const answers = await runOverSamples(session, rows, { input, output });
  await session.release();
  return predictions(classLogits(answers, rows.count));
}

function expectedOf({ labels, classes, count }: ClassificationDataset): NonNullable<Reference['classes']> {
  const shares = classes.map((_, k) => labels.reduce((sum, label) => sum + (label === k ? 1 : 0), 0) / count);
  return { labels: classes, shares, samples: count };
}

function countsOf(places: Int32Array, label: (place: number) => string): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(label(place), (counts.get(label(place)) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function classesOnly(part: Dataset): ClassificationDataset {
  if (part.task !== 'classification') throw new Error(`internal: expected classes, got a ${part.task}`);
  return part;
}

function movedIn(rows: ClassificationDataset, at: number, deviations: number): ClassificationDataset {
  const width = rows.inputShape[0] ?? 1;
  const inputs = Float32Array.from(rows.inputs);
  const values = Array.from({ length: rows.count }, (_, row) => inputs[row * width + at] ?? NaN).filter(
    (value) => !Number.isNaN(value),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  for (let row = 0; row < rows.count; row++)
    inputs[row * width + at] = (inputs[row * width + at] ?? NaN) + deviations * deviation;
  return { ...rows, inputs };
}
