/** Writes a program as a WebAssembly module: its text, and with Binaryen its bytes. */
import type { MemoryPlan } from './arena.ts';
import { expand } from './kernels/expand-weights.ts';
import type { Define, Emit, Kernel } from './kernels/kernel.ts';
import { whole } from './kernels/part.ts';
import { runOnTwo, type Threads } from './threads.ts';
import { type Code, comment, functionText, importedMemory, vector, type Wat } from './wat.ts';

const pageBytes = 65536;
/** The limit of 32-bit addresses. */
const maxPages = 65536;

export interface ModuleOptions {
  /** Rounds a · b + c once, by relaxed SIMD. */
  readonly fma: boolean;
  /** Says whether the module owns its memory or imports it. Default: `own`. */
  readonly memory?: 'own' | 'imported';
  /** The number of threads that run it over an imported memory; the second one runs `help`. Default: 1. */
  readonly threads?: Threads;
}

/** Returns the module's text: functions in the order of their first call, and `run`, which calls them. */
export function moduleText(
  kernels: readonly Kernel[],
  plan: MemoryPlan,
  { fma, memory = 'own', threads = 1 }: ModuleOptions,
): string {
  const functions = new Map<string, string>();
  const texts: string[] = [];
  const define: Define = (hint, code: Code) => {
    const text = functionText('', { ...code, about: [] });
    const known = functions.get(text);
    if (known !== undefined) return known;
    const name = `${hint}_${functions.size}`;
    functions.set(text, name);
    texts.push(functionText(name, code));
    return name;
  };
  const context: Emit = {
    define,
    part: whole,
    addressOf: (buffer) => {
      const address = plan.addresses.get(buffer);
      if (address === undefined) throw new Error(`internal: ${buffer.name} has no address`);
      return address;
    },
    madd: (acc, a, b) =>
      fma ? vector('f32x4.relaxed_madd', a, b, acc) : vector('f32x4.add', acc, vector('f32x4.mul', a, b)),
  };
  const running = threads === 2 ? runOnTwo(kernels, context) : runOnOne(kernels, context);
  const starting = plan.expansions.flatMap((expansion) => expand(expansion, define));
  const pages = Math.ceil(plan.bytes / pageBytes);
  return [
    `(module`,
    memory === 'own' ? `(memory ${pages} ${pages})` : importedMemory(threads === 2 ? maxPages : undefined),
    ...texts,
    ...running,
    ...(starting.length > 0
      ? [comment('weights in single precision'), '(func $start', ...starting, ')', '(start $start)']
      : []),
    ')',
  ].join('\n');
}

const runOnOne = (kernels: readonly Kernel[], context: Emit): readonly Wat[] => [
  '(func $run (export "run")',
  ...kernels.flatMap(({ about, emit }) => [comment(about), ...emit(context)]).map((line) => `  ${line}`),
  ')',
];

/** Encodes the module. Binaryen is loaded only here, since that takes half a second. */
export async function assemble(text: string, plan: MemoryPlan): Promise<Uint8Array> {
  const { default: binaryen } = await import('binaryen');
  const module = binaryen.parseText(text);
  try {
    const { SIMD128, RelaxedSIMD } = binaryen.Features;
    module.setFeatures(SIMD128 | RelaxedSIMD);
    const pages = Math.ceil(plan.bytes / pageBytes);
    const segments = plan.segments.map(({ address, data }) => ({ offset: module.i32.const(address), data }));
    module.setMemory(pages, pages, 'memory', segments);
    if (module.validate() !== 1) throw new Error('internal: the program is not a valid module');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
