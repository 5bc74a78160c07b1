/**
 * Folders of pictures, with classes or without, are prepared for models from other tools as the card says, and the
 * answers are named by the files.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addModel } from '../../exporter/model/add.ts';
import { bnEdge } from '../command.ts';

const [rows, columns] = [8, 8];
const classes = ['cat', 'dog', 'emu', 'fox'] as const;

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  model = join(folder, 'models/keras');
  await addModel({ file: 'test/fixtures/exporters/keras/model.onnx', name: 'keras', models: join(folder, 'models') });
});
afterAll(() => rm(folder, { recursive: true }));

async function setCard(change: object, picture?: unknown): Promise<void> {
  const path = join(model, 'card.json');
  const { labels: _, ...card } = JSON.parse(await readFile(path, 'utf8')) as { labels?: unknown; inputs: object[] };
  const inputs = card.inputs.map((input) => {
    const { picture: _, ...others } = input as { picture?: unknown };
    return { ...others, ...(picture !== undefined && { picture }) };
  });
  await writeFile(path, JSON.stringify({ ...card, ...change, inputs }));
}

const pixels = (seed: number) =>
  Uint8Array.from({ length: rows * columns * 3 }, (_, i) => Math.imul(i + 31 * seed, 2654435761) >>> 24);

async function savePicture(path: string, seed: number): Promise<void> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, encode({ width: columns, height: rows, channels: 3, data: pixels(seed) }));
}

/** Returns ONNX Runtime's answer to numbers that are prepared by hand. */
async function expectedOf(seed: number): Promise<readonly number[]> {
  const session = await InferenceSession.create(join(model, 'model.onnx'));
  const values = Float32Array.from(pixels(seed), (byte) => byte / 127.5 - 1);
  const [name = ''] = session.inputNames;
  const results = await session.run({ [name]: new Tensor('float32', values, [1, rows, columns, 3]) });
  return Array.from(results[session.outputNames[0] ?? '']?.data as Float32Array);
}

async function evaluated(data: string, ...more: readonly string[]) {
  const csv = join(folder, `${data}.csv`);
  const { stdout, stderr, code } = await bnEdge([
    ...['evaluate', model, '--data', join(folder, data), '--worst', '0', '--predictions', csv],
    ...more,
  ]);
  const read = code === 0 ? await readFile(csv, 'utf8') : '';
  return {
    stdout,
    stderr,
    code,
    lines: read
      .trim()
      .split('\n')
      .map((line) => line.split(',')),
  };
}

describe('pictures for a model from elsewhere', () => {
  beforeEach(() => setCard({ labels: classes }, '[-1,1]'));

  it('are given as the card says, and answered by their files', async () => {
    for (const [i, name] of classes.entries()) await savePicture(`named/${name}/${name}, ${i}.png`, i);
    const { lines, stdout, code } = await evaluated('named');
    expect({ code, stdout }).toMatchObject({ code: 0 });
    const [header, ...answers] = lines;
    expect(header?.slice(0, 3)).toEqual(['file', 'expected', 'predicted']);
    for (const [i, name] of classes.entries()) {
      // The comma in its name stands in quotes, and splits it here.
      const [first, second, expected, predicted, ...others] = answers[i] ?? [];
      expect([first, second, expected]).toEqual([`"${name}/${name}`, ` ${i}.png"`, name]);
      const probabilities = await expectedOf(i);
      expect(predicted).toBe(classes[probabilities.indexOf(Math.max(...probabilities))]);
      const shown = others.slice(-4).map(Number);
      probabilities.forEach((probability, k) => {
        expect(shown[k]).toBeCloseTo(probability, 5);
      });
    }
  });

  it.each(['flat', 'others/mine'])('need no folders of classes for their answers: %s', async (where) => {
    const [root = ''] = where.split('/');
    await savePicture(`${where}/b.png`, 5);
    await savePicture(`${where}/a.png`, 6);
    await writeFile(join(folder, where, 'notes.txt'), 'none');
    const { lines, stdout, code } = await evaluated(root);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no label to compare with') as string,
    });
    const within = where === 'flat' ? '' : 'mine/';
    expect(lines.map(([file]) => file)).toEqual(['file', `${within}a.png`, `${within}b.png`]);
    const probabilities = await expectedOf(6);
    const [, first = []] = lines;
    expect(first).toContain(classes[probabilities.indexOf(Math.max(...probabilities))]);
  });

  it('are refused without classes where scores are wanted', async () => {
    await savePicture('alone/a.png', 5);
    const { stderr, code } = await bnEdge(['evaluate', model, '--data', join(folder, 'alone')]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error: ${join(folder, 'alone')}: expected a folder of images (PNG, JPEG, WebP, TIFF, GIF or BMP) for each class, got images in no folder, which evaluate --predictions answers`,
    });
  });

  it('are refused where nobody names classes', async () => {
    await setCard({}, '[-1,1]');
    await savePicture('unknown/a.png', 5);
    const { stderr, code } = await evaluated('unknown');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error: ${join(folder, 'unknown')}: expected the names of the classes, as "labels" in the card or as folders, got neither`,
    });
  });

  it('are bytes where nobody says how, and it is told', async () => {
    await setCard({ labels: classes });
    await savePicture('flat/a.png', 5);
    const { stdout } = await evaluated('flat');
    expect(stdout).toMatch(/model\.onnx is given bytes from 0 to 255: "picture" in its card\.json says how else/);
    await setCard({ labels: classes }, '[-1,1]');
    expect((await evaluated('flat')).stdout).not.toContain('is given bytes');
  });

  it('are refused where the card contradicts the file', async () => {
    await setCard({ labels: classes }, { preset: 'raw', layout: 'NCHW' });
    await savePicture('named/cat/1.png', 5);
    const { stderr, code } = await evaluated('named');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /card\.json: inputs\[0\]\.picture\.layout: expected NHWC, as the file takes .*, got "NCHW"$/,
    );
  });
});
