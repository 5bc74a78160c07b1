/** What a network got wrong, and how it is shown. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCard } from '../../exporter/store/card.ts';
import { bnEdge } from '../command.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { confusionTable } from '../../exporter/command/confusion-table.ts';
import { answersOfCheckpoint, answersOfModel } from '../../training/run/evaluation.ts';
import { drawMistakes } from '../../exporter/command/mistakes.ts';
import type { ClassificationDataset } from '../../training/data/index.ts';
import { encodeModel, graphBuilder } from '../../training/graph/index.ts';
import { saveModel } from '../../training/checkpoint/model.ts';
import { flatten, type Network, planNetwork } from '../../training/network/index.ts';
import { mistakesOf } from '../../training/objective/index.ts';

const network: Network = {
  name: 'pixels',
  inputShape: [1, 1, 3],
  inputNormalization: 'channel',
  layers: [flatten()],
};
/** Each sample's brightest pixel is what the network says. */
const samples: ClassificationDataset = {
  task: 'classification',
  inputs: Uint8Array.of(9, 0, 0, 0, 5, 0, 0, 1, 2, 200, 0, 0),
  inputShape: [1, 1, 3],
  count: 4,
  labels: Int32Array.of(0, 0, 1, 2),
  classes: ['a', 'b', '<c>'],
};
let folder: string;
const backend = await nativeBackend({ threads: 1 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function saveCheckpoint(): Promise<string> {
  const path = join(folder, 'checkpoint.safetensors');
  const one = (value: number) => ({ dtype: 'float32', shape: [1, 1, 1], data: Float32Array.of(value) }) as const;
  const tensors = new Map([
    ['input.mean', one(0)],
    ['input.var', one(1 - 1e-5)],
  ]);
  await saveModel(path, { plan: planNetwork(network), tensors, classes: samples.classes, record: undefined });
  return path;
}

/** @param batch of the input's shape */
async function saveOnnx(batch: number | string): Promise<string> {
  const g = graphBuilder();
  const x = g.input('pixels', { dtype: 'float32', shape: [batch, 1, 1, 3] });
  const path = join(folder, `${batch}.onnx`);
  await writeFile(path, encodeModel(g.build('pixels', { anything: g.Flatten(x, { axis: 1 }) })));
  return path;
}

describe('the answers of', () => {
  const expected = Float32Array.from(samples.inputs);

  it('a checkpoint are those of its network', async () => {
    const answers = await answersOfCheckpoint(await saveCheckpoint(), samples, backend);
    expect(answers.length).toBe(expected.length);
    answers.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 3);
    });
  });

  it.each(['N', 1, 2, 3])('an ONNX file for batches of %s are what it gives', async (batch) => {
    expect(await answersOfModel(await saveOnnx(batch), samples, backend)).toEqual(expected);
  });

  it('a file that is no model, or takes other samples, are refused with its name', async () => {
    const none = join(folder, 'none.onnx');
    await writeFile(none, 'none');
    await expect(answersOfModel(none, samples, backend)).rejects.toThrow(
      `${none}: expected an ONNX model, got 4 bytes`,
    );
    const other = await saveOnnx('N');
    await expect(answersOfModel(other, { ...samples, inputShape: [1, 3, 1] }, backend)).rejects.toThrow(
      `${other}: expected samples [1, 1, 3], got [1, 3, 1] in the data`,
    );
  });
});

describe('mistakes', () => {
  const mistakes = mistakesOf(samples, Float32Array.from(samples.inputs));

  it('are listed with the least probable right answer first', () => {
    expect(mistakes.map(({ sample, expected, got }) => [sample, expected, got])).toEqual([
      [3, '<c>', 'a'],
      [1, 'a', 'b'],
      [2, 'b', '<c>'],
    ]);
    // 1 / (1 + e⁻¹ + e⁻²) of the probability went to the class that was answered.
    expect(mistakes[2]?.detail).toBe('66.5 %');
  });

  it('of numbers are listed with the largest error first', () => {
    const numbers = { ...samples, task: 'regression', values: Float32Array.of(1, 2, 3, 4) } as const;
    const [first, ...others] = mistakesOf(numbers, Float32Array.of(1, 0, 3.5, 4));
    expect(first).toEqual({ sample: 1, expected: '2.000', got: '0.000', detail: 'off by 2.000' });
    expect(others.map(({ sample }) => sample)).toEqual([2, 0, 3]);
  });

  it('are drawn pixel for pixel, with what they are and what they were taken for', () => {
    const svg = drawMistakes(mistakes, samples);
    const pictures = [...svg.matchAll(/base64,([^"]+)"/g)].map(([, text = '']) => decode(Buffer.from(text, 'base64')));
    expect(pictures.map(({ data }) => [...data])).toEqual([
      [200, 0, 0],
      [0, 5, 0],
      [0, 1, 2],
    ]);
    expect(svg).toContain('>&lt;c> → a</text>');
    expect(svg).toContain('>66.5 %</text>');
  });
});

describe('a confusion matrix', () => {
  it('shows all classes of few', () => {
    expect(
      confusionTable(
        [
          [3, 1],
          [0, 2],
        ],
        ['cat', 'dog'],
      ),
    ).toBe(
      [
        '┌───────────┬───────┬──────┬──────────┐',
        '│           │   cat │  dog │   recall │',
        '│ cat       │     3 │    1 │  75.00 % │',
        '│ dog       │     · │    2 │ 100.00 % │',
        '│ precision │ 100 % │ 67 % │          │',
        '└───────────┴───────┴──────┴──────────┘',
      ].join('\n'),
    );
  });

  it('shows the pairs that are mixed up most of many', () => {
    const classes = Array.from({ length: 20 }, (_, k) => `c${k}`);
    const matrix = classes.map((_, k) => classes.map((_, taken) => (k === taken ? 5 : k === 7 && taken === 3 ? 4 : 0)));
    expect(confusionTable(matrix, classes).split('\n')).toEqual([
      '┌────┬───────────┬───────┐',
      '│ is │ taken for │ times │',
      '│ c7 │        c3 │     4 │',
      '└────┴───────────┴───────┘',
    ]);
  });
});

it('the command reports the committed model as its card does', { timeout: 60_000 }, async () => {
  const mistakes = join(folder, 'pictures', 'mistakes.svg');
  const args = ['models/mnist-cnn', '--data', 'mnist', '--worst', '5', '--mistakes', mistakes, '--json'];
  const { code, stdout, stderr } = await bnEdge(['evaluate', ...args]);
  expect(code).toBe(0);
  const { running } = (await readCard('models', 'mnist-cnn')).scores?.test ?? { running: NaN };
  expect(stderr).toContain(`on 10,000 samples (test): accuracy ${(100 * running).toFixed(2)} %`);
  expect(JSON.parse(stdout)).toMatchObject({ rows: 10_000, part: 'test', scores: { accuracy: running }, unknown: [] });
  expect((await readFile(mistakes, 'utf8')).match(/<image /g)).toHaveLength(5);
});
