/** Tests claim 10: a served answer does not depend on its neighbours. */
import * as Plot from '@observablehq/plot';
import { symbolCircle } from 'd3-shape';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '../../../training/backend/index.ts';
import { type ClassificationDataset, createRandom, type Random } from '../../../training/data/index.ts';
import { at, elementCount } from '../../../training/arrays/index.ts';
import {
  pickTensor,
  type StoredTensor,
  type TrainedModel,
  withDeviations,
} from '../../../training/checkpoint/index.ts';
import { checkedJson } from '../../../training/files/index.ts';
import { decodeModel, encodeModel } from '../../../training/graph/index.ts';
import { networkSchema, planNetwork, tensorsOf } from '../../../training/network/index.ts';
import { floatsOf } from '../../../training/trainer/index.ts';
import { exportGraph } from '../../../exporter/model/inference-graph.ts';
import { experiment, finding } from '../experiment.ts';
import type { AskServed, Lab } from '../lab/lab.ts';
import { range } from '../lab/range.ts';
import { deviation, largestDifference } from '../lab/statistics.ts';
import { colours, panel, type Series } from '../report/figure.ts';
import { list, number, percent } from '../report/format.ts';

const model = 'mnist-cnn';
type Statistics = 'running' | 'batch';
const batchSize = 32;
/** The number of test images among which the one to ask about is chosen. */
const candidates = 100;
const classes = 10;

interface Results {
  readonly label: string;
  readonly batchSize: number;
  readonly runtime: Both;
  /** The result through the Worker; null when none was running. */
  readonly served: Both | null;
}

type Both = Readonly<Record<Statistics, Spread>>;

/** Describes one image's logits in many random mini-batches. */
interface Spread {
  readonly batches: number;
  /** Counts the different bit patterns. */
  readonly distinct: number;
  /** The largest distance between two values of one logit. */
  readonly range: number;
  /** The largest standard deviation of a logit. */
  readonly deviation: number;
  /** Counts how often each class is the answer. */
  readonly answers: readonly number[];
  /** Holds quantiles of each class's logit. */
  readonly quantiles: readonly (readonly number[])[];
}

const quantiles = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1] as const;

/** Returns the logits of the image at a place of a mini-batch. */
type Ask = (images: readonly Uint8Array[], place: number) => Promise<Float32Array>;

async function measure(lab: Lab): Promise<Results> {
  const { test } = lab.data;
  const file = join(lab.models, model, 'model.onnx');
  const batch = encodeModel(exportGraph(await exportedModel(file), 'batch'));
  const session = {
    running: await lab.backend.loadSession(await readFile(file)),
    batch: await lab.backend.loadSession(batch),
  };
  const asked = await leastCertain(session.running, test);
  const spread = async (batches: number, ask: (statistics: Statistics) => Ask): Promise<Both> => ({
    running: await spreadOf(lab, test, asked, batches, ask('running')),
    batch: await spreadOf(lab, test, asked, batches, ask('batch')),
  });
  const { askServed } = lab;
  return {
    label: at(test.classes, at(test.labels, asked)),
    batchSize,
    runtime: await spread(lab.pick(1000, 150), (statistics) => askRuntime(session[statistics], test.inputShape)),
    served: askServed ? await spread(lab.pick(200, 40), (statistics) => askWorker(askServed, statistics)) : null,
  };
}

/**
 * Reads the trained network inside an exported file.
 * @throws UserError when this project did not write the file
 */
async function exportedModel(path: string): Promise<TrainedModel> {
  const { graph, metadata } = decodeModel(await readFile(path));
  const plan = planNetwork(checkedJson(networkSchema, metadata['network'] ?? '', path));
  const stored = graph.initializers.flatMap(({ name, constant }): [string, StoredTensor][] => {
    const { shape, data } = constant ?? {};
    return shape && data instanceof Float32Array ? [[name, { dtype: 'F32', shape, data }]] : [];
  });
  const current = withDeviations(new Map(stored));
  const tensors = tensorsOf(plan).map(
    ({ name, shape }) => [name, pickTensor(path, name, shape, current.get(name))] as const,
  );
  const classes = JSON.parse(metadata['classes'] ?? '[]') as readonly string[];
  return { plan, tensors: new Map(tensors), classes, record: undefined };
}

/** Among the first test images that are classified correctly, finds the one whose two largest logits are closest. */
async function leastCertain(session: Session, test: ClassificationDataset): Promise<number> {
  const images = range(candidates).map((i) => imageAt(test, i));
  const ask = askRuntime(session, test.inputShape);
  const margins = [];
  for (const [place] of images.entries()) {
    const logits = await ask(images, place);
    const right = at(logits, at(test.labels, place));
    margins.push(right - Math.max(...logits.filter((_, k) => k !== test.labels[place])));
  }
  return margins.indexOf(Math.min(...margins.filter((margin) => margin > 0)));
}

const askRuntime =
  (session: Session, inputShape: readonly number[]): Ask =>
  async (images, place) => {
    const data = Float32Array.from(images.flatMap((image) => [...image]));
    const pixels = { dtype: 'float32', shape: [images.length, ...inputShape], data } as const;
    return floatsOf(await session.run({ pixels }), 'logits').slice(place * classes, (place + 1) * classes);
  };

const askWorker =
  (ask: AskServed, statistics: Statistics): Ask =>
  async (images, place) =>
    at(await ask(images, statistics), place);

async function spreadOf(lab: Lab, test: ClassificationDataset, asked: number, batches: number, ask: Ask) {
  const random = createRandom(1).fork('neighbours');
  const logits = await lab.each(range(batches), () => {
    const [images, place] = randomBatch(test, asked, random);
    return ask(images, place);
  });
  return summarize(logits);
}

/** Puts the image at a random place among random others. */
function randomBatch(test: ClassificationDataset, asked: number, random: Random) {
  const place = Math.floor(random.uniform() * batchSize);
  const images = range(batchSize).map((i) => {
    return imageAt(test, i === place ? asked : Math.floor(random.uniform() * test.count));
  });
  return [images, place] as const;
}

function imageAt({ inputs, inputShape }: ClassificationDataset, index: number): Uint8Array {
  const size = elementCount(inputShape);
  return Uint8Array.from(inputs.subarray(index * size, (index + 1) * size));
}

function summarize(logits: readonly Float32Array[]): Spread {
  const columns = range(classes).map((k) => logits.map((row) => at(row, k)).toSorted((a, b) => a - b));
  const answers = logits.map((row) => row.indexOf(Math.max(...row)));
  return {
    batches: logits.length,
    distinct: new Set(logits.map((row) => row.join())).size,
    range: largestDifference(
      columns.map((column) => at(column, column.length - 1)),
      columns.map((column) => at(column, 0)),
    ),
    deviation: Math.max(...columns.map(deviation)),
    answers: range(classes).map((k) => answers.filter((answer) => answer === k).length),
    quantiles: columns.map((column) => quantiles.map((q) => at(column, Math.round(q * (column.length - 1))))),
  };
}

export const neighbours = experiment<Results>({
  name: 'neighbours',
  title: 'A served answer does not depend on its neighbours',
  claim: 'With fixed statistics each sample is answered by itself: the other samples of its batch make no difference.',
  consequence:
    'Serve with fixed statistics, always: requests can then be batched in any way, and the same question gets the same answer.',
  measure,
  describe: ({ label, runtime, served, batchSize }) => {
    const places = [['ONNX Runtime', runtime] as const, ...(served ? [['the Worker', served] as const] : [])];
    return {
      method: [
        `The same test image, a ${label} (of the first ${candidates} the one that the network classifies correctly with the smallest margin), was put at a random place among ${batchSize - 1} random others, and its ten logits kept: ${number(runtime.running.batches, 4)} mini-batches through the exported \`${model}\` in ONNX Runtime${served ? `, ${number(served.running.batches, 4)} through the Worker (ONNX Runtime’s WebAssembly) over HTTP` : ' (no Worker was running)'}; once with the running statistics stored in the file, once with those of each mini-batch (\`training_mode\` 1).`,
      ],
      findings: places.flatMap(([where, both]) => [alone(where, both.running), dependent(where, both.batch, label)]),
      figures: [
        {
          caption: `The image’s logits over all mini-batches: each class’s median, the middle half (thick), ${percent(0.9, 0)} (thin) and extremes (dots) with the mini-batch’s statistics, and the one value with running statistics.`,
          legend: [fixed, own],
          panels: places.map(([where, both]) => logitsPanel(where, both)),
        },
      ],
    };
  },
});

const alone = (where: string, { batches, distinct, range }: Spread) =>
  finding(
    `running-${where}`,
    range < 1e-5,
    `Running statistics, ${where}: over ${number(batches, 4)} mini-batches the logits differ by ${range === 0 ? 'nothing: they are the same bits' : `at most ${number(range, 2)}, which is rounding (${distinct} bit patterns)`}.`,
    `Running statistics, ${where}: over ${number(batches, 4)} mini-batches the logits differ by up to ${number(range, 2)}.`,
  );

function dependent(where: string, { range, deviation, answers, batches }: Spread, label: string) {
  const wrong = answers.flatMap((count, k) =>
    count > 0 && String(k) !== label ? [`a ${k} (${number(count, 4)} times)`] : [],
  );
  const share = 1 - at(answers, Number(label)) / batches;
  return finding(
    `batch-${where}`,
    range > 0.1,
    `The mini-batch’s own statistics, ${where}: a logit moves by up to ${number(range)} (standard deviation up to ${number(deviation)}); ${wrong.length === 0 ? `the answer stays ${label} all the same` : `${percent(share)} of the answers become another: ${list(wrong)}`}.`,
    `The mini-batch’s own statistics, ${where}, move the logits by ${number(range)} only.`,
  );
}

const fixed: Series = { name: 'running statistics', colour: colours.blue, shape: symbolCircle };
const own: Series = { name: 'the mini-batch’s own', colour: colours.orange };

function logitsPanel(where: string, { running, batch }: Both) {
  const rows = batch.quantiles.map((values, k) => ({ k, values, running: at(at(running.quantiles, k), 3) }));
  type Row = (typeof rows)[number];
  const quantile = (i: number) => (row: Row) => at(row.values, i);
  const bar = (from: number, to: number, strokeWidth: number) =>
    Plot.ruleY(rows, { y: 'k', x1: quantile(from), x2: quantile(to), stroke: colours.orange, strokeWidth });
  const extreme = (i: number) => Plot.dot(rows, { y: 'k', x: quantile(i), r: 1.4, fill: colours.orange });
  return panel({
    title: where,
    alt: `Logits of one image in many mini-batches, ${where}`,
    height: 290,
    marginLeft: 36,
    x: { label: 'logit', grid: true },
    y: { label: 'class', type: 'band', domain: range(classes) },
    marks: [
      bar(1, 5, 1.5),
      bar(2, 4, 6),
      extreme(0),
      extreme(6),
      Plot.tickX(rows, {
        y: 'k',
        x: quantile(3),
        stroke: 'var(--card)',
        strokeWidth: 1.5,
        insetTop: 6,
        insetBottom: 6,
      }),
      Plot.dot(rows, { y: 'k', x: 'running', fill: 'var(--card)', stroke: colours.blue, strokeWidth: 2, r: 3.6 }),
    ],
  });
}
