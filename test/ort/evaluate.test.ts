/** `bn-edge evaluate` finds the mistakes of a network, and shows them. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCard } from '../../exporter/store/card.ts';
import { bnEdge } from '../command.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { confusionTable } from '../../exporter/command/evaluation-tables.ts';
import { answersOfCheckpoint, answersOfModel } from '../../training/run/evaluation.ts';
import { reshaped } from '../../training/run/reshape.ts';
import { drawMistakes } from '../../exporter/command/mistakes.ts';
import type { ClassificationDataset } from '../../training/data/index.ts';
import { encodeModel, graphBuilder } from '../../training/graph/index.ts';
import { saveModel } from '../../training/checkpoint/model.ts';
import { flatten, type Network, planNetwork } from '../../training/network/index.ts';
import { mistakesOf, reportOn } from '../../training/objective/index.ts';

const network: Network = {
  name: 'pixels',
  inputShape: [1, 1, 3],
  inputNormalization: 'channel',
  layers: [flatten()],
};
/** The network's answer is the class of each sample's brightest pixel. */
const samples: ClassificationDataset = {
  task: 'classification',
  inputs: Uint8Array.of(9, 0, 0, 0, 5, 0, 0, 1, 2, 200, 0, 0),
  inputShape: [1, 1, 3],
  count: 4,
  labels: Int32Array.of(0, 0, 1, 2),
  classes: ['a', 'b', '<c>'],
};
let folder: string;

/** Drops the lines that a command writes every ten seconds, which come only where it takes that long. */
const withoutProgress = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !/^(train|evaluate): /.test(line))
    .join('\n');

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

/** @param batch the batch dimension of the input's shape */
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
    expect(await answersOfModel({ path: await saveOnnx(batch) }, samples, backend)).toEqual(expected);
  });

  it('an ONNX file that gives probabilities are their logarithms, so that calibration is right', async () => {
    const small = { ...samples, inputs: Uint8Array.from(samples.inputs, (x) => Math.min(x, 9)) };
    const g = graphBuilder();
    const x = g.input('pixels', { dtype: 'float32', shape: ['N', 1, 1, 3] });
    const path = join(folder, 'probabilities.onnx');
    const logits = g.Flatten(x, { axis: 1 });
    await writeFile(path, encodeModel(g.build('pixels', { scores: g.Softmax(logits, { axis: 1 }) })));
    const { calibration } = reportOn(small, await answersOfModel({ path }, small, backend));
    const expected = reportOn(small, Float32Array.from(small.inputs));
    expect(calibration?.error).toBeCloseTo(expected.calibration?.error ?? NaN, 5);
    const known = { name: 'scores', kind: 'logits' } as const;
    const asTheyAre = reportOn(small, await answersOfModel({ path, known }, small, backend));
    expect(asTheyAre.calibration?.error).not.toBeCloseTo(expected.calibration?.error ?? NaN, 2);
  });

  it('a file that is no model, or takes other samples, are refused with its name', async () => {
    const none = join(folder, 'none.onnx');
    await writeFile(none, 'none');
    await expect(answersOfModel({ path: none }, samples, backend)).rejects.toThrow(
      `${none}: expected an ONNX model, got 4 bytes`,
    );
    const other = await saveOnnx('N');
    await expect(answersOfModel({ path: other }, { ...samples, inputShape: [1, 3, 1] }, backend)).rejects.toThrow(
      `${other}: expected samples [1, 1, 3], got [1, 3, 1] in the data`,
    );
  });
});

describe('samples in the shape that a model takes', () => {
  const colours = { inputs: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), inputShape: [2, 1, 3], count: 2 };
  it.each([
    ['as they are', [2, 1, 3], [2, 1, 3], [...colours.inputs]],
    ['with their channels last', [1, 3, 2], [1, 3, 2], [1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]],
    ['flat', [6], [6], [...colours.inputs]],
    ['flat, of an open size', ['n'], [6], [...colours.inputs]],
  ])('are given %s', (_, wanted, inputShape, inputs) => {
    const got = reshaped(colours, wanted)?.samples;
    expect([got?.inputShape, [...(got?.inputs ?? [])]]).toEqual([inputShape, inputs]);
  });

  it.each([
    ['without the one channel of grey images', [1, 2, 3], [2, 3]],
    ['as images, of rows of numbers', [6], [1, 2, 3]],
  ])('are given %s', (_, inputShape, wanted) => {
    expect(reshaped({ ...colours, inputShape }, wanted)?.samples).toEqual({ ...colours, inputShape: wanted });
  });

  it.each([[[2, 3, 1]], [[7]], [[2, 3]], [[2, 1, 4]]])('are refused for %j', (wanted) => {
    expect(reshaped(colours, wanted)).toBeUndefined();
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
    // The wrong class got 1 / (1 + e⁻¹ + e⁻²) of the probability.
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
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
    `on 10,000 samples (test): accuracy ${(100 * running).toFixed(2)} %`,
  );
  expect(JSON.parse(stdout)).toMatchObject({ rows: 10_000, part: 'test', scores: { accuracy: running }, unknown: [] });
  expect((await readFile(mistakes, 'utf8')).match(/<image /g)).toHaveLength(5);
});

describe('a table that a run was trained on', () => {
  const large = 'large, or "big"';
  const cellsOf = (i: number) => [String(((i * 7) % 40) / 8), i % 3 === 0 ? 'red' : 'blue'] as const;
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, k) => {
      const [a, colour] = cellsOf(from + k);
      return `${a},${colour},${quoted(Number(a) > 2.5 ? large : 'small')}`;
    });
  const csv = (lines: readonly string[]) => `a,colour,size\n${lines.join('\n')}\n`;
  const evaluate = (...args: readonly string[]) => bnEdge(['evaluate', join(folder, 'run'), '--json', ...args]);
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  let path: string;

  beforeAll(async () => {
    path = await write('sizes.csv', csv(rows(0, 120)));
    const args = ['train', path, '--label', 'size', '--epochs', '8', '--hidden', '8', '--out', join(folder, 'run')];
    const { code, stderr } = await bnEdge(args);
    expect([code, withoutProgress(stderr)]).toEqual([0, '']);
  }, 60_000);

  it('is scored on its test part, with all that a program needs', { timeout: 60_000 }, async () => {
    const { stdout, stderr } = await evaluate();
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({ part: 'test', rows: 12, objective: 'multiclass', notNumbers: 0, unknown: [] });
    expect(Object.keys(answer)).toEqual(
      expect.arrayContaining(['scores', 'baseline', 'confusion', 'calibration', 'mistakes']),
    );
    expect(stderr).toMatch(/on 12 samples \(test\):\s+accuracy \d+\.\d\d % \(always "/);
    expect(stderr).toContain('calibration error ');
  });

  it('writes a line for each row, by its line in the file', { timeout: 60_000 }, async () => {
    const out = join(folder, 'answers', 'all.csv');
    const { stdout } = await evaluate('--part', 'all', '--predictions', out, '--worst', '120');
    const [head, ...lines] = (await readFile(out, 'utf8')).trimEnd().split('\n');
    expect(head).toBe(`line,expected,predicted,${quoted(`probability of ${large}`)},probability of small`);
    expect(lines.map((line) => Number(line.split(',')[0]))).toEqual(Array.from({ length: 120 }, (_, i) => i + 2));
    expect(lines[1]).toMatch(/^3,small,.*,[\d.e-]+$/);
    const { mistakes } = JSON.parse(stdout) as {
      mistakes: { count: number; worst: { line: number; cells: Record<string, string> }[] };
    };
    const isWrong = (line: string) =>
      line.includes(`,small,${quoted(large)},`) || line.includes(`,${quoted(large)},small,`);
    expect(mistakes.count).toBe(lines.filter(isWrong).length);
    for (const { line, cells } of mistakes.worst) {
      const [a, colour] = cellsOf(line - 2);
      expect(cells).toMatchObject({ a, colour });
    }
    expect(await readdir(dirname(out))).toEqual(['all.csv']);
  });

  it('is scored whole when others are given, with what is unknown counted', { timeout: 60_000 }, async () => {
    const more = await write('more.csv', csv([...rows(0, 50), '1,green,small', '1,red,tiny']));
    const { stdout, stderr } = await evaluate('--data', more);
    expect(JSON.parse(stdout)).toMatchObject({
      part: 'all',
      rows: 50,
      unknown: [
        { column: 'colour', value: 'green', rows: 1 },
        { column: 'size', value: 'tiny', rows: 1 },
      ],
    });
    expect(stderr).toContain('left out 1 samples: colour "green" was not in the training data');
    // A file with as many rows as the training set is scored whole, unless its rows are the same.
    const other = await write('other.csv', csv(rows(1, 121)));
    expect(JSON.parse((await evaluate('--data', other)).stdout)).toMatchObject({ part: 'all', rows: 120 });
    const same = await write('same.csv', csv(rows(0, 120)));
    expect(JSON.parse((await evaluate('--data', same)).stdout)).toMatchObject({ part: 'test', rows: 12 });
  });

  it('says so where the part that answers are read by is not at hand', { timeout: 60_000 }, async () => {
    const own = await write('own.csv', csv(rows(0, 400)));
    const run = join(folder, 'own');
    await bnEdge(['train', own, '--label', 'size', '--epochs', '2', '--hidden', '8', '--out', run]);
    const more = await write('few.csv', csv(rows(0, 50)));
    const notes = async () => (await bnEdge(['evaluate', run, '--data', more, '--json'])).stderr;
    const said = "answers are read as the network gives them, without the run's validation part: ";
    expect(await notes()).not.toContain(said);
    await writeFile(own, csv(rows(5, 405)));
    expect(await notes()).toContain(`${said}${own} has changed since`);
    await rm(own);
    expect(await notes()).toContain(`${said}${own}: `);
  });

  it('needs no label for answers alone', { timeout: 60_000 }, async () => {
    const cells = Array.from({ length: 5 }, (_, i) => cellsOf(i).join(','));
    const unlabelled = await write('unlabelled.csv', `a,colour\n${cells.join('\n')}\n`);
    const refused = await bnEdge(['evaluate', join(folder, 'run'), '--data', unlabelled]);
    expect(refused.stderr).toContain('expected a column "size", as in training');
    const out = (name: string) => join(folder, `${name}-answers.csv`);
    const { stdout } = await evaluate('--data', unlabelled, '--predictions', out('unlabelled'));
    expect(JSON.parse(stdout)).toMatchObject({ rows: 5, scores: {}, mistakes: { count: 0 } });
    await evaluate('--data', await write('labelled.csv', csv(rows(0, 5))), '--predictions', out('labelled'));
    const answers = async (name: string) =>
      (await readFile(out(name), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => line.split(',').slice(-2));
    expect(await answers('unlabelled')).toEqual(await answers('labelled'));
    expect(await readFile(out('unlabelled'), 'utf8')).toMatch(/^2,,/m);
  });

  it('is refused where its rows have changed since', { timeout: 60_000 }, async () => {
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('\n0,red', '\n0.5,red'));
    const { code, stderr } = await bnEdge(['evaluate', join(folder, 'run')]);
    expect([code, withoutProgress(stderr)]).toEqual([
      1,
      `error: ${path}: expected the samples that the model was trained on, got others; --data ${path} without --part scores all of them`,
    ]);
    expect(JSON.parse((await evaluate('--data', path)).stdout)).toMatchObject({ part: 'all', rows: 120 });
    await writeFile(path, text);
  });
});
