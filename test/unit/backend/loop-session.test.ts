/** A Loop iterates call by call on a fake runtime, whose sessions return the values written here. */
import type { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../training/backend/index.ts';
import type { Runtime } from '../../../training/backend/runtime.ts';
import { deviceMemory } from '../../../training/backend/webgpu/device-memory.ts';
import { openLoopSession } from '../../../training/backend/webgpu/loop-session.ts';
import { checkGraph, type DType, graphBuilder } from '../../../training/graph/index.ts';
import type { LoopStep } from '../../../training/lowering/index.ts';

class FakeTensor {
  readonly type: DType;
  readonly data: ArrayLike<number | bigint>;
  readonly dims: readonly number[];

  constructor(type: DType, data: ArrayLike<number | bigint>, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }

  isDisposed = false;

  dispose(): void {
    this.isDisposed = true;
  }
}

type Run = (feeds: Readonly<Record<string, FakeTensor>>) => Readonly<Record<string, FakeTensor>>;

/**
 * Returns a runtime that counts its open sessions. Sessions other than the step's copy their feeds. Of the first
 * sessions, those fail to open for which an error is given.
 */
function fakeRuntime(step: Run, failures: readonly (Error | undefined)[] = []) {
  const sessions = { opened: 0, open: 0 };
  const create = (_: unknown, options: InferenceSession.SessionOptions) => {
    const locations = options.preferredOutputLocation;
    const isCopy = typeof locations === 'object' && 'copied' in locations;
    const failure = failures[sessions.opened++];
    if (failure) return Promise.reject(failure);
    sessions.open += 1;
    return Promise.resolve({
      run: (feeds: Readonly<Record<string, FakeTensor>>) =>
        Promise.resolve(isCopy ? { copied: feeds['tensor'] } : step(feeds)),
      release: () => Promise.resolve(void (sessions.open -= 1)),
    });
  };
  const runtime = { InferenceSession: { create }, Tensor: FakeTensor } as unknown as Runtime;
  return { runtime, sessions };
}

/** Builds a step of x ← 2 x, which also outputs an int32 and an int64. */
function doubling(): LoopStep {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [1] });
  const place = g.Identity(g.initializer('a place', { dtype: 'int32', shape: [2], data: Int32Array.of(0, 0) }));
  const wide = g.Identity(g.initializer('a wide number', { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) }));
  return {
    graph: checkGraph(g.build('step', { y: g.Add(x, x), place, wide })),
    tripCount: 'count',
    iteration: 'i',
    carried: [{ initial: 'x0', before: 'x', after: 'y', final: 'z' }],
    scanned: [
      { each: 'place', stacked: 'places' },
      { each: 'wide', stacked: 'wides' },
    ],
  };
}

/** Larger than the integers that float32 represents exactly. */
const large = 2 ** 24 + 1;
const larger = 2n ** 60n + 1n;

const take =
  (place: (i: bigint) => FakeTensor): Run =>
  ({ x, i }) => {
    const step = BigInt(i?.data[0] ?? -1);
    return {
      y: new FakeTensor('float32', Float32Array.of(2 * Number(x?.data[0])), [1]),
      place: place(step),
      wide: new FakeTensor('int64', BigInt64Array.of(larger + step), []),
    };
  };

const feeds = (count: number): NamedTensors => ({
  count: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) },
  x0: { dtype: 'float32', shape: [1], data: Float32Array.of(3) },
});

describe('what each step gives', () => {
  it('is stacked in its own type, whose every bit stays', async () => {
    const { runtime, sessions } = fakeRuntime(take((i) => new FakeTensor('int32', Int32Array.of(large, Number(i)), [2]))); // oxfmt-ignore
    const session = await openLoopSession(runtime, doubling(), {});
    const { z, places, wides } = await session.run(feeds(2));
    expect(z?.data).toEqual(Float32Array.of(12));
    expect(places).toEqual({ dtype: 'int32', shape: [2, 2], data: Int32Array.of(large, 0, large, 1) });
    expect(wides).toEqual({ dtype: 'int64', shape: [2], data: BigInt64Array.of(larger, larger + 1n) });
    await session.release();
    expect(sessions.open).toBe(0);
  });

  it.each([
    ['another type', () => new FakeTensor('float32', Float32Array.of(1, 2), [2]), '2 of float32'],
    [
      'another size',
      (i: bigint) => new FakeTensor('int32', new Int32Array(2 + Number(i)), [2 + Number(i)]),
      '3 of int32',
    ],
  ])('is refused when it has %s', async (_, place, got) => {
    const session = await openLoopSession(fakeRuntime(take(place)).runtime, doubling(), {});
    const message = `internal: place: expected 2 numbers of int32 of step ${got.startsWith('3') ? 1 : 0}, got ${got}`;
    await expect(session.run(feeds(2))).rejects.toThrow(message);
  });
});

it('a step that fails leaves no state of the steps before it on the device', async () => {
  const states: FakeTensor[] = [];
  const failing: Run = (given) => {
    if (states.length === 2) throw new Error('the device is lost');
    const results = take((i) => new FakeTensor('int32', Int32Array.of(0, Number(i)), [2]))(given);
    if (results['y']) states.push(results['y']);
    return results;
  };
  const session = await openLoopSession(fakeRuntime(failing).runtime, doubling(), {});
  await expect(session.run(feeds(3))).rejects.toThrow('the device is lost');
  expect(states.map(({ isDisposed }) => isDisposed)).toEqual([true, true]);
});

it('a state that cannot be copied back does not stay on the device', async () => {
  const states: FakeTensor[] = [];
  const step: Run = (given) => {
    const results = take((i) => new FakeTensor('int32', Int32Array.of(0, Number(i)), [2]))(given);
    if (results['y']) states.push(results['y']);
    return results;
  };
  // The sessions of the step, of the copies to the device and of those back.
  const { runtime } = fakeRuntime(step, [undefined, undefined, new Error('the device is lost')]);
  const session = await openLoopSession(runtime, doubling(), {});
  await expect(session.run(feeds(2))).rejects.toThrow('the device is lost');
  expect(states.map(({ isDisposed }) => isDisposed)).toEqual([true, true]);
});

describe('the memory of a device', () => {
  const tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const;

  it('is asked again where a session that copies could not be opened once', async () => {
    const { runtime, sessions } = fakeRuntime(() => ({}), [new Error('the device is busy')]);
    const memory = deviceMemory(runtime, {});
    await expect(memory.upload(tensor)).rejects.toThrow('the device is busy');
    expect((await memory.upload(tensor)).data).toBe(tensor.data);
    await memory.release();
    expect(sessions).toEqual({ opened: 2, open: 0 });
  });
});
