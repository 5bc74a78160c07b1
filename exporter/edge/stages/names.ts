/**
 * Finds the stock module's minified exports by letting the official glue run on stand-ins that only record that they
 * were called. The glue's own names change with every release, so that none is written down here.
 */

import type { Runtime } from '../bundle.ts';
import { externKind, parseExports, parseModule } from '../wasm/module.ts';

export interface ExportNames {
  /** Runs C++ static constructors: the first export that the glue calls once it has an instance. */
  readonly constructors: string;
  /** The allocator's two functions. */
  readonly malloc: string;
  readonly free: string;
}

export async function findExports(runtime: Runtime, stock: Uint8Array): Promise<ExportNames> {
  const calls: string[] = [];
  const { ort } = await runtime.startGlue(() => ({ exports: standIns(stock, calls) }));
  const constructors = expectCall('when it starts', calls);
  calls.length = 0;
  ort._malloc(1);
  const malloc = expectCall('for _malloc', calls);
  calls.length = 0;
  ort._free(0);
  return { constructors, malloc, free: expectCall('for _free', calls) };
}

function standIns(stock: Uint8Array, calls: string[]): WebAssembly.Exports {
  const functions = parseExports(parseModule(stock)).filter(({ kind }) => kind === externKind.function);
  return Object.fromEntries(functions.map(({ name }) => [name, () => (calls.push(name), 0)]));
}

/**
 * Returns the first call.
 *
 * @throws Error if nothing has been called
 */
export function expectCall(when: string, [first]: readonly string[]): string {
  if (first === undefined) throw new Error(`onnxruntime-web glue: expected it to call an export ${when}, got no call`);
  return first;
}
