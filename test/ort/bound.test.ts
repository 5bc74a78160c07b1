/** Sessions can be bound to arrays of the caller. */
import { afterAll, describe, expect, it } from 'vitest';
import { type BoundSession, nativeBackend, wasmBackend } from '../../training/backend/index.ts';
import { importNative } from '../../training/backend/import-native.ts';
import { canRunUncopied } from '../../training/backend/uncopied.ts';
import { checkGraph, graphBuilder, type Tensor } from '../../training/graph/index.ts';

const count = 1 << 18;

/** Gathers rows of x by index, and sums them. */
function gatherGraph() {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [2, count] });
  const index = g.input('index', { dtype: 'int32', shape: [] });
  const row = g.Gather(x, index, { axis: 0 });
  return checkGraph(g.build('row', { row, sum: g.ReduceSum(row, g.ints([0]), { keepdims: 0 }) }));
}

const float32 = (shape: readonly number[]): Tensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

const sessions: BoundSession[] = [];
afterAll(() => Promise.all(sessions.map((session) => session.release())));

describe.each([
  ['native', () => nativeBackend({ threads: 1 })],
  ['wasm', () => wasmBackend()],
] as const)('a session of %s that is bound', (name, create) => {
  async function open() {
    const { bindSession } = await create();
    const inputs = { x: float32([2, count]), index: { dtype: 'int32', shape: [], data: Int32Array.of(1) } } as const;
    const outputs = { row: float32([count]), sum: float32([]) };
    inputs.x.data.fill(1, 0, count).fill(2, count);
    const session = await bindSession?.(gatherGraph(), inputs, outputs);
    if (!session) throw new Error('expected a session');
    sessions.push(session);
    return { session, inputs, outputs };
  }

  it('reads what its inputs hold, and writes its outputs in place', async () => {
    const { session, inputs, outputs } = await open();
    await session.run();
    expect([outputs.row.data[3], outputs.sum.data[0]]).toEqual([2, 2 * count]);
    inputs.x.data.fill(5, count);
    await session.run();
    expect([outputs.row.data[3], outputs.sum.data[0]]).toEqual([5, 5 * count]);
  });

  it('reports what goes wrong in a run, and runs again', async () => {
    const { session, inputs, outputs } = await open();
    inputs.index.data[0] = 7;
    await expect(session.run()).rejects.toThrow(/7|indices|range|\d+/);
    inputs.index.data[0] = 0;
    await session.run();
    expect(outputs.sum.data[0]).toBe(count);
  });

  it.runIf(name === 'native')('makes no copies of its outputs', async () => {
    const { session } = await open();
    await session.run();
    const before = process.memoryUsage().arrayBuffers;
    for (let run = 0; run < 20; run++) await session.run();
    // A single copy would be a megabyte.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000);
  });
});

describe('whether outputs can be kept from being copied', () => {
  const runtime = (run: (fetches: Readonly<Record<string, { data: Float32Array } | null>>) => void) => ({
    Tensor: class {
      readonly data: Float32Array;
      constructor(_type: string, data: Float32Array) {
        this.data = data;
      }
    },
    InferenceSession: {
      create: () =>
        Promise.resolve({
          run: (_feeds: unknown, fetches: Parameters<typeof run>[0]) => {
            run(fetches);
            return Promise.resolve({});
          },
          release: () => Promise.resolve(),
        }),
    },
  });
  const refuse = (message: string) => {
    throw new Error(message);
  };
  const rows: readonly (readonly [string, boolean, Parameters<typeof runtime>[0]])[] = [
    [
      'which writes and then refuses the sequence',
      true,
      ({ y }) => {
        y?.data.set([6]);
        refuse('Non tensor type is temporarily not supported.');
      },
    ],
    [
      'which refuses the sequence before it has run',
      false,
      () => refuse('Non tensor type is temporarily not supported.'),
    ],
    ['which says something else', false, () => refuse('sequences are not supported')],
    ['which gives new arrays and no error', false, () => undefined],
  ];
  it.each(rows)('is found of a runtime %s: %s', async (_, expected, run) => {
    expect(await canRunUncopied(runtime(run) as unknown as Parameters<typeof canRunUncopied>[0])).toBe(expected);
  });

  it('is found of the one that is installed', async () => {
    expect(await canRunUncopied(await importNative('native'))).toBe(true);
  });
});
