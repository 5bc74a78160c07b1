/**
 * Every network that trains is exported, verified and scored: with few outputs and many, few rows, many columns, and
 * with or without Batch Norm.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '../../exporter/model/export.ts';
import { compareOutputs } from '../../exporter/model/verify.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { createRandom, type DataSource, encodeNpz } from '../../training/data/index.ts';
import { dense, layerNorm, type Layer, relu } from '../../training/network/index.ts';
import { evaluate, trainToFolder } from '../../training/run/index.ts';

const backend = await nativeBackend({ threads: 1 });
const config = { optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Size {
  readonly rows: number;
  readonly columns?: number;
  /** 0 means numbers to predict. */
  readonly classes: number;
}

/** @returns the path of an array file */
async function arrays(name: string, { rows, columns = 3, classes }: Size): Promise<string> {
  const path = join(folder, `${name}.npz`);
  const random = createRandom(rows);
  const x = Float32Array.from({ length: rows * columns }, () => random.normal());
  const numbers = Float32Array.from({ length: rows }, (_, i) => x[i * columns] ?? 0);
  const labels = Float32Array.from({ length: rows }, (_, i) => i % classes);
  const y = { shape: [rows], data: classes === 0 ? numbers : labels };
  await writeFile(path, encodeNpz({ x: { shape: [rows, columns], data: x }, y }));
  return path;
}

async function trained(name: string, data: DataSource, layers?: readonly Layer[], columns = 3) {
  const network = join(folder, `${name}.json`);
  if (layers) {
    const description = { name, inputShape: [columns], inputNormalization: 'feature', layers };
    await writeFile(network, JSON.stringify(description));
  }
  return trainToFolder({
    ...(layers ? { network } : { hidden: [8] }),
    config: { ...config, epochs: 1 },
    data,
    out: join(folder, 'runs', name),
    backend: 'native',
    threads: 1,
  });
}

const exported = (name: string, checkpoint: string, data?: DataSource, note?: (line: string) => void) =>
  exportModel({ checkpoint, name, models: join(folder, 'models'), data }, backend, note);

describe('a network', () => {
  it.each<[string, Size, number]>([
    ['of one number', { rows: 60, classes: 0 }, 1],
    ['of two classes', { rows: 60, classes: 2 }, 2],
    ['of 300 classes', { rows: 900, classes: 300 }, 300],
    ['of 1,000 classes', { rows: 3000, classes: 1000 }, 1000],
    ['of 2,000 columns', { rows: 60, columns: 2000, classes: 2 }, 2],
    ['of one column', { rows: 60, columns: 1, classes: 3 }, 3],
  ])('%s is exported and scored', async (_, size, outputs) => {
    const name = `${size.classes}-${size.columns ?? 3}`;
    const task = size.classes === 0 ? 'regression' : 'classification';
    const { checkpoint } = await trained(name, { path: await arrays(name, size), task });
    const card = await exported(name, checkpoint);
    expect(card.outputs[0]?.shape).toEqual([-1, outputs]);
    expect(card.verification.samples).toBe(size.rows / 10);
    const { report } = await evaluate({ checkpoint });
    expect(Object.values(report.metrics).every(Number.isFinite)).toBe(true);
  });

  it('without Batch Norm is exported, and has one score with all statistics', async () => {
    const path = await arrays('norms', { rows: 60, classes: 2 });
    const layers = [dense(8), layerNorm(), relu(), dense(2)];
    const { checkpoint } = await trained('norms', { path, task: 'classification' }, layers);
    const { scores } = await exported('norms', checkpoint);
    expect(new Set(Object.values(scores?.test ?? {})).size).toBe(1);
  });

  it.each([
    ['with one test sample', { testShare: 1 / 60 }, 1],
    ['without test samples, by those for validation', { testShare: 0 }, 6],
    ['without anything held back, by those of training', { testShare: 0, validationShare: 0 }, 60],
  ])('%s is verified', async (_, shares, samples) => {
    const name = `held-${samples}`;
    const path = await arrays(name, { rows: 60, classes: 2 });
    const { checkpoint } = await trained(name, { path, task: 'classification', ...shares });
    const card = await exported(name, checkpoint);
    expect(card.verification.samples).toBe(samples);
    expect(card.scores === undefined).toBe(samples !== 1);
    const stored = JSON.parse(await readFile(join(folder, 'models', name, 'card.json'), 'utf8')) as object;
    expect('scores' in stored).toBe(samples === 1);
  });
});

it('data that changed since training are refused, unless they are named, and then it is said', async () => {
  const path = await arrays('changing', { rows: 60, classes: 2 });
  const { checkpoint } = await trained('changing', { path, task: 'classification' });
  await writeFile(path, await readFile(await arrays('others', { rows: 70, classes: 2 })));
  await expect(exported('changing', checkpoint)).rejects.toThrow(
    `${path}: expected the samples that the model was trained on, got others; --data ${path} verifies and scores it with these`,
  );
  const notes: string[] = [];
  const card = await exported('changing', checkpoint, { path }, (line) => notes.push(line));
  expect(card.verification.samples).toBe(7);
  expect(notes).toEqual([
    `${path} is not what the model was trained on: the scores are of samples that it may have been trained on`,
  ]);
});

it('a network that gives no finite numbers is not exported', () => {
  const output = Float32Array.of(1, 2, NaN, 3);
  const agreement = { answerName: 'logits', successText: '', errorKind: 'absolute' } as const;
  expect(() => compareOutputs(output, output, 2, agreement)).toThrow(
    'export: sample 1: expected finite numbers of the network, got NaN',
  );
});
