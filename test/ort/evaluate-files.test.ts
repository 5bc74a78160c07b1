/** `bn-edge evaluate` scores an ONNX file from another tool as it would be served. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../exporter/index.ts';
import { encodeNpz } from '../../training/data/index.ts';
import { bnEdge } from '../command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file from elsewhere', () => {
  const data = (): string => join(folder, 'pictures.npz');
  const fixture = (name: string): string => `test/fixtures/exporters/${name}/model.onnx`;
  const expectedOf = async (name: string): Promise<Record<'inputs' | 'outputs', Record<string, { data: number[] }>>> =>
    JSON.parse(await readFile(`test/fixtures/exporters/${name}/expected.json`, 'utf8')) as never;

  beforeAll(async () => {
    const { inputs } = await expectedOf('pytorch');
    const x = { shape: [2, 3, 8, 8], data: Float32Array.from(inputs['image']?.data ?? []) };
    await writeFile(data(), encodeNpz({ x, y: { shape: [2], data: Int32Array.of(0, 1) } }));
  });

  it.each(['quantized-qdq', 'quantized-operator', 'quantized-dynamic', 'pytorch'])(
    '(%s) is evaluated as it is served: weights beside it are found, products of 8 bits do not saturate',
    async (name) => {
      const { answers } = await evaluate({ model: fixture(name), data: { path: data() } });
      const expected = (await expectedOf(name)).outputs['logits']?.data ?? [];
      expect(answers).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        expect(answers[i]).toBeCloseTo(value, 5);
      });
    },
  );

  it('that is quantized is told to run in WebAssembly, unless another backend is asked for', async () => {
    const evaluated = (name: string, ...more: string[]) =>
      bnEdge(['evaluate', '--model', fixture(name), '--data', data(), '--worst', '0', ...more]);
    const { stdout, code } = await evaluated('quantized-qdq');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test\/.*model\.onnx is quantized: the wasm backend answers as it is served \(native ONNX/);
    expect((await evaluated('quantized-qdq', '--backend', 'native')).stdout).not.toContain('wasm');
    expect((await evaluated('pytorch')).stdout).not.toContain('wasm');
  });

  it('has its answers in the order of the array, each with its number there', async () => {
    const numbers = (first: number, count: number) =>
      Float32Array.from({ length: count * 192 }, (_, i) => Math.sin(first + i / 7));
    const [x, test] = [numbers(1, 7), numbers(2, 3)];
    const [y, ofTest] = [Int32Array.of(2, 0, 1, 1, 0, 2, 2), Int32Array.of(1, 2, 0)];
    const path = join(folder, 'parts.npz');
    const out = join(folder, 'answers.csv');
    const answersTo = async (arrays: Parameters<typeof encodeNpz>[0]) => {
      await writeFile(path, encodeNpz(arrays));
      const told = ['evaluate', '--model', fixture('pytorch'), '--data', path, '--predictions', out, '--json'];
      const { stdout, stderr, code } = await bnEdge([...told, '--worst', '10']);
      expect(code, stderr).toBe(0);
      const [, ...lines] = (await readFile(out, 'utf8')).trimEnd().split('\n');
      const rows = lines.map((line) => line.split(',').slice(0, 3));
      const { mistakes } = JSON.parse(stdout) as { mistakes: { worst: { sample: number; got: string }[] } };
      for (const { sample, got } of mistakes.worst) expect(rows[sample]?.[2]).toBe(got);
      return rows.map(([sample, expected]) => [Number(sample), Number(expected)]);
    };
    const shape = (count: number) => [count, 3, 8, 8];
    const whole = { x: { shape: shape(7), data: x }, y: { shape: [7], data: y } };
    expect(await answersTo(whole)).toEqual([...y].map((label, i) => [i, label]));
    const parts = {
      x_train: whole.x,
      y_train: whole.y,
      x_test: { shape: shape(3), data: test },
      y_test: { shape: [3], data: ofTest },
    };
    expect(await answersTo(parts)).toEqual([...y, ...ofTest].map((label, i) => [i, label]));
  });

  it('in training mode is refused, as it is by a build', async () => {
    await expect(evaluate({ model: fixture('pytorch-training'), data: { path: data() } })).rejects.toThrow(
      "expected Batch Norm with running statistics, got the mini-batch's in 1, 5, 10 (training_mode 1)",
    );
  });
});
