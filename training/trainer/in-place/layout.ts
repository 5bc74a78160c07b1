/**
 * Where a run's state lies in one memory. Tensors that a step changes alike lie side by side, and are one vector to what changes them:
 *
 *     weights:     │ fc1.weight │ fc2.weight │        trained, with decay
 *     others:      │ fc1.bias │ bn1.weight │ …        trained, without
 *     statistics:  │ bn1.running_mean │ …             averages of what the mini-batches say
 *     rest:        │ …                                what stays as it is
 *
 * and as many vectors of the same form behind each as it has slots, averages and gradients. Small tensors come first. Between two tensors
 * lie zeros, which every optimizer leaves as they are.
 */
import { elementCount } from '../../files/index.ts';
import { sizeOf, type TensorType } from '../../graph/index.ts';
import { isTrained, layerTensorsOf, type Plan, type TensorSpec } from '../../network/index.ts';
import { averageName, type CarriedOptions, slotName } from '../state.ts';
import { batchName, gradientName } from './gradient-graph.ts';

export type GroupName = 'weights' | 'others' | 'statistics' | 'rest';

export interface Group {
  readonly name: GroupName;
  readonly tensors: readonly TensorSpec[];
  /** Of all tensors, with what lies between them. */
  readonly count: number;
}

export interface Cells {
  /** In bytes. */
  readonly address: number;
  readonly shape: readonly number[];
}

export interface Layout {
  readonly groups: readonly Group[];
  /** Of each group, by the names that a single tensor's would have: `weights`, `weights/exp_avg`, `gradient/weights`. */
  readonly vectors: ReadonlyMap<string, Cells>;
  /** What the vectors are made of, by the names of the state and of the gradients. */
  readonly tensors: ReadonlyMap<string, Cells>;
  /** Where the next free byte is. */
  readonly end: number;
}

const start = 1024;
/** Of a tensor's first element: a line of the cache, in elements. */
const alignment = 16;
const aligned = (count: number): number => Math.ceil(count / alignment) * alignment;

/** In elements: to copy so many takes no longer than to tell ONNX Runtime of one tensor more. */
const maxSmall = 8192;
export const isSmall = (shape: TensorType['shape']): boolean => sizeOf(shape) <= maxSmall;

/** @param measured the running statistics of which each mini-batch has its own */
export function layoutOf(plan: Plan, options: CarriedOptions, measured: ReadonlySet<string>): Layout {
  const specs = layerTensorsOf(plan);
  const groups = groupNames.map((name) =>
    groupOf(
      name,
      specs.filter((spec) => groupNameOf(spec, measured) === name),
    ),
  );
  const vectors = new Map<string, Cells>();
  const tensors = new Map<string, Cells>();
  let end = start;
  for (const group of groups.filter(({ count }) => count > 0)) {
    for (const named of sectionsOf(group.name, options)) {
      vectors.set(named(group.name), { address: end, shape: [group.count] });
      for (const { name, shape } of group.tensors) {
        tensors.set(named(name), { address: end, shape });
        end += 4 * aligned(elementCount(shape));
      }
    }
  }
  return { groups: groups.filter(({ count }) => count > 0), vectors, tensors, end };
}

const groupNames: readonly GroupName[] = ['weights', 'others', 'statistics', 'rest'];

function groupNameOf(spec: TensorSpec, measured: ReadonlySet<string>): GroupName {
  if (isTrained(spec)) return spec.role.kind === 'weight' ? 'weights' : 'others';
  return measured.has(spec.name) ? 'statistics' : 'rest';
}

const groupOf = (name: GroupName, tensors: readonly TensorSpec[]): Group => ({
  name,
  tensors: [...tensors.filter(({ shape }) => isSmall(shape)), ...tensors.filter(({ shape }) => !isSmall(shape))],
  count: tensors.reduce((sum, { shape }) => sum + aligned(elementCount(shape)), 0),
});

/** The names of a group's vectors, as functions of the tensor's. */
function sectionsOf(group: GroupName, { optimizer, ema }: CarriedOptions): readonly ((name: string) => string)[] {
  const itself = (name: string) => name;
  const averages = ema === undefined ? [] : [averageName];
  switch (group) {
    case 'weights':
    case 'others': {
      const slots = optimizer.slots.map((slot) => (name: string) => slotName(name, slot));
      return [itself, ...slots, ...averages, gradientName];
    }
    case 'statistics':
      return [itself, ...averages, batchName];
    case 'rest':
      return [itself, ...averages];
  }
}
