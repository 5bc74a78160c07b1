/** Sums are fused with their products in instructions, in the kernel, and in images. */
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { outcomeOf, sessionOf } from '../../exporter/edge/cases/cases.ts';
import { makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import { describeDistance } from '../../exporter/edge/cases/verify.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import type { EdgeImage } from '../../exporter/edge/image.ts';
import { fuse, requireRelaxedSimd } from '../../exporter/edge/stages/fuse.ts';
import { gemmBody, gemmType } from '../../exporter/edge/stages/gemm-kernel.ts';
import type { GemmMode } from '../../exporter/edge/stages/gemm-kernel.ts';
import { concat, vector } from '../../exporter/edge/wasm/bytes.ts';
import { constant, end, localGet, localSet, localTee } from '../../exporter/edge/wasm/code.ts';
import type { Code } from '../../exporter/edge/wasm/code.ts';
import { f32x4, instructions } from '../../exporter/edge/wasm/instructions.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';
import { differences, cnn } from './fixtures.ts';
import { ingredientsOf, startImage, startReference } from './subjects.ts';

const { i32, v128 } = wasm.valueType;
const memory = new WebAssembly.Memory({ initial: 4 });
const floats = new Float32Array(memory.buffer);

function moduleOf(type: wasm.FunctionType, bodies: readonly Uint8Array[]): Uint8Array {
  const exports = [{ name: 'f', kind: wasm.externKind.function, index: bodies.length - 1 }];
  return wasm.encodeModule([
    { id: wasm.section.type, payload: vector([wasm.encodeType(type)]) },
    { id: wasm.section.import, payload: vector([[1, 0x61, 1, 0x61, wasm.externKind.memory, 0, 4]]) },
    { id: wasm.section.function, payload: vector(bodies.map(() => [0])) },
    { id: wasm.section.export, payload: wasm.encodeExports(exports) },
    { id: wasm.section.code, payload: wasm.encodeBodies(bodies) },
  ]);
}

function functionOf(module: Uint8Array): (...values: number[]) => number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { a: { a: memory } });
  return exports['f'] as unknown as (...values: number[]) => number;
}

function countOf(module: Uint8Array, wanted: number): number {
  const found = wasm.parseBodies(wasm.parseModule(module)).map((body) => {
    const all = [...instructions(body, wasm.firstInstruction(body))];
    return all.filter(({ opcode }) => opcode === wanted).length;
  });
  return found.reduce((sum, count) => sum + count, 0);
}

/** Loads vectors from addresses 16, 32, …. */
const load = (place: number): Code => [...constant(16 * place), 0xfd, 0x00, 0, 0];
const [add, multiply, subtract] = [
  [0xfd, 0xe4, 0x01],
  [0xfd, 0xe6, 0x01],
  [0xfd, 0xe5, 0x01],
];
const [t, u] = [1, 2];

/** Returns the body of a function of an address, at which it stores the vector that `code` leaves. */
const storing = (code: Code): Uint8Array =>
  concat([[1, 2, v128], localGet(0), code, [0xfd, 0x0b, 0, 0], constant(0), [end]]);

describe('sums of products', () => {
  it.each([
    ['before the product', [...load(1), ...load(2), ...load(3), ...multiply, ...add], 1],
    ['behind the product', [...load(2), ...load(3), ...multiply, ...load(1), ...add], 1],
    ['of two products', [...load(1), ...load(2), ...multiply, ...load(3), ...load(4), ...multiply, ...add], 1],
    [
      'one in another',
      [...load(1), ...load(2), ...load(3), ...multiply, ...add, ...load(4), ...load(2), ...multiply, ...add],
      2,
    ],
    [
      'that write a local variable which no factor uses',
      [...load(1), ...localTee(t), ...load(2), ...load(3), ...localTee(u), ...multiply, ...add, ...localGet(t), ...add],
      1,
    ],
    [
      'that write a local variable which a factor reads',
      [...load(1), ...localTee(t), ...localGet(t), ...load(3), ...multiply, ...add],
      0,
    ],
    [
      'that read a local variable which a factor writes',
      [...load(4), ...localSet(t), ...localGet(t), ...load(1), ...localTee(t), ...load(3), ...multiply, ...add],
      0,
    ],
    ['which are subtracted', [...load(1), ...load(2), ...load(3), ...multiply, ...subtract], 0],
    ['whose product is kept', [...load(1), ...load(2), ...load(3), ...multiply, ...localTee(t), ...add], 0],
  ] as const)('%s', (_, code, count) => {
    const module = moduleOf({ parameters: [i32], results: [i32] }, [storing(code)]);
    const fused = fuse(module);
    expect([fused.count, countOf(fused.module, f32x4.madd)]).toEqual([count, count]);
    // With whole numbers, rounding once or twice gives the same result.
    floats.set(Float32Array.from({ length: 32 }, (__, i) => (i * 7) % 23));
    const [before, after] = [module, fused.module].map((one) => {
      functionOf(one)(256);
      return [...floats.slice(64, 68)];
    });
    expect(after).toEqual(before);
    expect(Math.max(...(before ?? []))).toBeGreaterThan(0);
  });
});

describe.each(['overwrite', 'accumulate'] as const)('the kernel of matrix products that is to %s, fused', (mode) => {
  const [a, b, c, lda, ldc] = [0, 8_192, 131_072, 150, 100];
  const alpha = Math.fround(0.7);
  const kernelOf = (mode: GemmMode) =>
    fuse(moduleOf(gemmType, [Uint8Array.from([0, ...constant(77), end]), gemmBody(0, mode)]));

  it('has every sum but those with what was there before in one instruction with its product', () => {
    const { count, module } = kernelOf(mode);
    // There are two tiles of eight sums, each with four steps together and one alone.
    expect(count).toBe(2 * 8 * (4 + 1) + (mode === 'accumulate' ? 2 * 8 : 0));
    expect(countOf(module, f32x4.add)).toBe(0);
  });

  it.each([
    [1, 1, 32],
    [9, 2, 48],
    [130, 3, 80],
    [128, 1, 96],
  ])('is as near to sums in double precision as K roundings allow: K %d, M %d, N %d', (k, m, n) => {
    const kernel = functionOf(kernelOf(mode).module);
    floats.set(floats.map((_, i) => Math.sin(i * i)));
    const before = floats.slice();
    const rows = kernel(a, b, c, k, m, n, lda, ldc, alpha);
    expect(rows).toBe(Math.min(m, 2));
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < n; column++) {
        const at = c / 4 + row * ldc + column;
        const old = mode === 'accumulate' ? (before[at] ?? 0) : 0;
        let [sum, size] = [0, 0];
        for (let i = 0; i < k; i++) {
          const inPanel = (Math.floor(column / 16) * k + i) * 16 + (column % 16);
          const product = (before[row * lda + i] ?? 0) * (before[b / 4 + inPanel] ?? 0);
          [sum, size] = [sum + product, size + Math.abs(product)];
        }
        const allowed = 2 ** -24 * ((2 * k + 2) * size + Math.abs(old) + Math.abs(sum));
        expect(Math.abs((floats[at] ?? NaN) - (old + alpha * sum))).toBeLessThanOrEqual(allowed);
      }
    }
  });
});

describe('an image with fused sums', () => {
  const models = { cnn: cnn({ channels: [16, 16], hidden: 32 }) };
  let exact: EdgeImage;
  let made: EdgeImage;

  beforeAll(async () => {
    const ingredients = await ingredientsOf(models);
    exact = await makeImage(ingredients);
    made = await makeImage({ ...ingredients, fma: true });
  }, 240_000);

  it('has them in both of its codes, and differs in nothing else', () => {
    const sums = countOf(made.wasm, f32x4.madd);
    expect(sums).toBeGreaterThan(100);
    expect(made.fusion).toEqual({ sums: countOf(made.whole ?? new Uint8Array(), f32x4.madd) });
    expect(made.whole).toEqual(fuse(exact.whole ?? new Uint8Array()).module);
    expect(wasm.payloadOf(wasm.parseModule(made.wasm), wasm.section.data)).toEqual(
      wasm.payloadOf(wasm.parseModule(exact.wasm), wasm.section.data),
    );
    expect([made.manifest, made.verified]).toEqual([exact.manifest, exact.verified]);
    expect([exact.fusion, countOf(exact.wasm, f32x4.madd)]).toEqual([undefined, 0]);
  });

  it('answers as stock does but for 0.00001 of the largest number, and refuses in the same words', async () => {
    const [image, stock] = [await startImage(made), await startReference(models)];
    const { inputs } = sessionOf(image, 'cnn');
    const sizes = [1, 2, 5, 33, 100, 20_000];
    for (const all of sizes) {
      const [got, expected] = [image, stock].map((subject) =>
        outcomeOf(subject, 'cnn', makeFeeds(subject.runtime, inputs, { all }, 'pixels')),
      );
      expect(describeDistance(expected ?? '', got ?? '', { isReal: true }), String(all)).toBeUndefined();
    }
  });
});

describe('an image whose answers fused sums would change', () => {
  it('keeps the sums as they are, and says which model answered what', async () => {
    const models = { lookalike: cnn({ channels: [4, 4], hidden: 16 }), differences: differences() };
    const ingredients = await ingredientsOf(models);
    const [made, exact] = [await makeImage({ ...ingredients, fma: true }), await makeImage(ingredients)];
    expect(made.fusion).toEqual({
      reason: expect.stringMatching(
        /^they would answer otherwise than stock's: differences: .*: output y: expected -?\d.* at \d+, got -?\d/,
      ) as string,
    });
    expect([made.wasm, made.whole]).toEqual([exact.wasm, exact.whole]);
  }, 240_000);
});

it('is refused in one line on a host without relaxed SIMD', () => {
  expect(requireRelaxedSimd).not.toThrow();
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  try {
    expect(requireRelaxedSimd).toThrow(
      `--fma: expected Node 22 or later, on which images are proven, got Node ${process.versions.node}`,
    );
  } finally {
    validate.mockRestore();
  }
});
