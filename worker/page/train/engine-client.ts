/** Starts the engine, and tests whether this browser can run it. */
import type { Order, Report } from './engine/messages.ts';

/** A WebAssembly module with one SIMD instruction. */
const simdModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** @returns one sentence that says what the browser lacks; undefined where it lacks nothing */
export function missingHere(): string | undefined {
  if (typeof Worker === 'undefined') return 'Training needs web workers, which this browser does not have.';
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(simdModule))
    return 'Training needs WebAssembly with vectors (SIMD), which this browser does not have or has turned off.';
  return undefined;
}

export interface Engine {
  readonly send: (order: Order) => void;
}

/** @param onReport receives each report, and a report of the engine's own failure */
export function startEngine(onReport: (report: Report) => void): Engine {
  const worker = new Worker(new URL('./engine/main.ts', import.meta.url), { type: 'module', name: 'engine' });
  worker.addEventListener('message', ({ data }: MessageEvent<Report>) => {
    onReport(data);
  });
  worker.addEventListener('error', ({ message }) => {
    onReport({ kind: 'trouble', message: `The engine did not start: ${message || 'its file could not be loaded'}.` });
  });
  return {
    send: (order) => {
      worker.postMessage(order);
    },
  };
}
