/**
 * Iterates a Loop from the host, one call for each step, so that its state stays on the device: the outputs of a step
 * are the inputs of the next. The data set stays there too, as long as the same tensor is fed. Only the scanned numbers
 * come back after each step; the state comes back at the end of a run.
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { elementCount } from '../../arrays/index.ts';
import { type DType, encodeModel, type Tensor } from '../../graph/index.ts';
import { lower, type LoopStep } from '../../lowering/index.ts';
import { arrays } from '../../program/index.ts';
import type { NamedTensors, Session } from '../backend.ts';
import { fromOrt, type Runtime, toOrt } from '../runtime.ts';
import { deviceMemory } from './device-memory.ts';
import { type OnDevice, Residents } from './residents.ts';

type NamedOrtTensors = Readonly<Record<string, OrtTensor>>;

export async function openLoopSession(
  runtime: Runtime,
  step: LoopStep,
  options: InferenceSession.SessionOptions,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(encodeModel(lower(step.graph, 'webgpu')), {
    ...options,
    preferredOutputLocation: outputLocations(step),
  });
  const memory = deviceMemory(runtime, options);
  const residents = new Residents(memory);

  async function run(feeds: NamedTensors): Promise<NamedTensors> {
    const fixed = await placeFixed(runtime, step, residents, feeds);
    const first = await residents.place(step.carried.map(({ before, initial }) => [before, feedOf(feeds, initial)]));
    const { state, scanned } = await iterate(runtime, session, step, { fixed, first, count: tripCount(step, feeds) });
    // The first state is held already.
    const finals = await bringBack(state, state === first ? [] : Object.values(state));
    return Object.fromEntries([...finals, ...stackAll(step, scanned)]);
  }

  /** Copies the state to the host and keeps it on the device for the next run. Without the copy, nothing of it stays. */
  async function bringBack(state: OnDevice, fresh: readonly OrtTensor[]): Promise<readonly [string, Tensor][]> {
    const finals: [string, Tensor][] = [];
    const unheld = new Set(fresh);
    try {
      for (const { before, final } of step.carried) {
        const device = outputOf(state, before);
        const host = await memory.download(device);
        residents.hold(before, host, device);
        unheld.delete(device);
        finals.push([final, host]);
      }
    } finally {
      for (const tensor of unheld) tensor.dispose();
    }
    return finals;
  }

  return {
    run,
    release: async () => {
      residents.release();
      await Promise.all([memory.release(), session.release()]);
    },
  };
}

const outputLocations = ({ carried, scanned }: LoopStep) =>
  Object.fromEntries([
    ...carried.map(({ after }) => [after, 'gpu-buffer'] as const),
    ...scanned.map(({ each }) => [each, 'cpu'] as const),
  ]);

/**
 * Places the inputs that no iteration changes on the device. 64-bit integers stay on the host: the device cannot
 * compute with them, so the nodes that read them run on the host as well.
 */
async function placeFixed(
  runtime: Runtime,
  { graph, carried, iteration }: LoopStep,
  residents: Residents,
  feeds: NamedTensors,
): Promise<OnDevice> {
  const own = new Set([iteration, ...carried.map(({ before }) => before)]);
  const inputs = graph.inputs.flatMap(({ name }) => (own.has(name) ? [] : [[name, feedOf(feeds, name)] as const]));
  const wide = inputs.filter(([, { dtype }]) => dtype === 'int64');
  const placed = await residents.place(inputs.filter(([, { dtype }]) => dtype !== 'int64'));
  return { ...placed, ...Object.fromEntries(wide.map(([name, tensor]) => [name, toOrt(runtime, tensor)])) };
}

interface Iterations {
  readonly fixed: OnDevice;
  readonly first: OnDevice;
  readonly count: number;
}

/** @returns the state after the last step, and the outputs of each step */
async function iterate(
  runtime: Runtime,
  session: InferenceSession,
  { iteration, carried }: LoopStep,
  { fixed, first, count }: Iterations,
): Promise<{ readonly state: OnDevice; readonly scanned: readonly NamedOrtTensors[] }> {
  const scanned: NamedOrtTensors[] = [];
  let state = first;
  for (let i = 0; i < count; i++) {
    const number = toOrt(runtime, { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(i)) });
    const former = state;
    try {
      const results = (await session.run({ ...fixed, ...former, [iteration]: number })) as NamedOrtTensors;
      state = Object.fromEntries(carried.map(({ before, after }) => [before, outputOf(results, after)]));
      scanned.push(results);
    } finally {
      if (former !== first) for (const tensor of Object.values(former)) tensor.dispose();
    }
  }
  return { state, scanned };
}

/** Stacks the scanned values of all steps along a new first axis, in the type that the graph gives them. */
function stackAll({ graph, scanned }: LoopStep, steps: readonly NamedOrtTensors[]): readonly [string, Tensor][] {
  return scanned.map(({ each, stacked }) => {
    const dtype = graph.outputs.find(({ name }) => name === each)?.dtype;
    if (!dtype) throw new Error(`internal: the step has no output ${each}`);
    const tensors = steps.map((results) => fromOrt(each, outputOf(results, each)));
    return [stacked, stack(each, dtype, tensors)];
  });
}

function stack(name: string, dtype: DType, tensors: readonly Tensor[]): Tensor {
  const shape = tensors[0]?.shape ?? [];
  const size = elementCount(shape);
  const data = new arrays[dtype](tensors.length * size);
  for (const [step, tensor] of tensors.entries()) {
    if (tensor.dtype !== dtype || tensor.data.length !== size) {
      const got = `${tensor.data.length} of ${tensor.dtype}`;
      throw new Error(`internal: ${name}: expected ${size} numbers of ${dtype} of step ${step}, got ${got}`);
    }
    // Both have the same type, as compared above.
    (data as Float32Array).set(tensor.data as Float32Array, step * size);
  }
  return { dtype, shape: [tensors.length, ...shape], data };
}

function tripCount(step: LoopStep, feeds: NamedTensors): number {
  const [count] = feedOf(feeds, step.tripCount).data;
  if (count === undefined) throw new Error(`internal: expected a number in ${step.tripCount}, got none`);
  return Number(count);
}

function feedOf(feeds: NamedTensors, name: string): Tensor {
  const feed = feeds[name];
  if (!feed) throw new Error(`internal: expected a feed for ${name}`);
  return feed;
}

function outputOf(tensors: NamedOrtTensors, name: string): OrtTensor {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`internal: the step gave no ${name}`);
  return tensor;
}
