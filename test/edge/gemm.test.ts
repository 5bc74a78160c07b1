import { describe, expect, it } from 'vitest';

import { gemmBody, gemmType } from '../../exporter/edge/stages/gemm-kernel.ts';
import type { GemmMode } from '../../exporter/edge/stages/gemm-kernel.ts';
import { replaceGemm } from '../../exporter/edge/stages/gemm.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';
import { vector } from '../../exporter/edge/wasm/bytes.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';
import { constant, end } from '../../exporter/edge/wasm/code.ts';

type Kernel = (...values: number[]) => number;

const memory = new WebAssembly.Memory({ initial: 4 });
/** The addresses of A, B and C, and the distances between rows. */
const [a, b, c, lda, ldc] = [0, 8_192, 131_072, 150, 100];
const alpha = Math.fround(0.7);
/** The result of the stand-in for the replaced kernel. */
const original = 77;

/** Returns the kernel of `mode`, in a module of functions of the kernel's type. */
function kernelOf(mode: GemmMode): Kernel {
  const bodies = [Uint8Array.from([0, ...constant(original), end]), gemmBody(0, mode)];
  const module = moduleOf(bodies, [{ name: 'kernel', kind: wasm.externKind.function, index: 1 }]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { a: { a: memory } });
  return exports['kernel'] as unknown as Kernel;
}

function moduleOf(bodies: readonly Uint8Array[], exports: readonly wasm.Export[]): Uint8Array {
  return wasm.encodeModule([
    { id: wasm.section.type, payload: vector([wasm.encodeType(gemmType)]) },
    { id: wasm.section.import, payload: vector([[1, 0x61, 1, 0x61, wasm.externKind.memory, 0, 4]]) },
    { id: wasm.section.function, payload: vector(bodies.map(() => [0])) },
    { id: wasm.section.export, payload: wasm.encodeExports(exports) },
    { id: wasm.section.code, payload: wasm.encodeBodies(bodies) },
  ]);
}

/** Computes C in float32, adding each sum from k = 0 on. B's panels are 16 columns wide. */
function expectedC(before: Float32Array, mode: GemmMode, k: number, m: number, n: number): Float32Array {
  const after = before.slice();
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const panel = Math.floor(column / 16);
        const product = (before[row * lda + i] ?? 0) * (before[b / 4 + (panel * k + i) * 16 + (column % 16)] ?? 0);
        sum = Math.fround(sum + Math.fround(product));
      }
      const at = c / 4 + row * ldc + column;
      const scaled = Math.fround(alpha * sum);
      after[at] = mode === 'accumulate' ? Math.fround(scaled + (before[at] ?? 0)) : scaled;
    }
  }
  return after;
}

function fillMemory(): Float32Array {
  const numbers = new Float32Array(memory.buffer);
  numbers.set(numbers.map((_, i) => Math.sin(i * i)));
  return numbers.slice();
}

describe.each(['overwrite', 'accumulate'] as const)('the kernel of matrix products that is to %s', (mode) => {
  const kernel = kernelOf(mode);

  it.each([
    [1, 1, 32],
    [9, 1, 64],
    [128, 1, 96],
    [1, 2, 16],
    [9, 2, 48],
    [130, 3, 80],
  ])('adds up every sum in order and writes nothing else: K %d, M %d, N %d', (k, m, n) => {
    const before = fillMemory();
    const rows = kernel(a, b, c, k, m, n, lda, ldc, alpha);
    expect(rows).toBe(Math.min(m, 2));
    expect(new Float32Array(memory.buffer)).toEqual(expectedC(before, mode, k, rows, n));
  });

  it.each([
    [1, 31],
    [2, 15],
    [2, 40],
  ])('leaves what is narrower than a tile to the original: M %d, N %d', (m, n) => {
    fillMemory();
    expect(kernel(a, b, c, 5, m, n, lda, ldc, alpha)).toBe(original);
  });
});

describe('replaceGemm', () => {
  it('finds both kernels in the stock module, whatever their names', async () => {
    const bodies = (module: Uint8Array) => wasm.parseBodies(wasm.parseModule(module));
    const stock = await readStockModule();
    const [before, after] = [bodies(stock), bodies(replaceGemm(stock))];
    const replaced = before.filter((body, i) => Buffer.compare(body, after[i] ?? body) !== 0);
    expect(replaced).toHaveLength(2);
    expect(after.slice(before.length)).toEqual(replaced);
  });

  it('leaves a function alone that computes something else', () => {
    const body = Uint8Array.from([0, ...constant(2), end]);
    const module = moduleOf([body], []);
    expect(wasm.parseBodies(wasm.parseModule(replaceGemm(module)))).toEqual([body]);
  });
});
