/**
 * Lays out a run's state in one memory. Tensors that a step changes alike lie side by side, so that the update treats
 * them as one vector:
 *
 *     weights:     │ fc1.weight │ fc2.weight │        trained, with decay
 *     others:      │ fc1.bias │ bn1.weight │ …        trained, without decay
 *     statistics:  │ bn1.running_mean │ …             averages over mini-batches
 *     rest:        │ …                                unchanged
 *
 * Behind each vector lie others of the same form, one for each slot, average and gradient of the group. Small tensors
 * come first. The gaps between tensors hold zeros, which every optimizer leaves unchanged.
 */
import { elementCount } from '../../arrays/index.ts';
import { sizeOf, type TensorType } from '../../graph/index.ts';
import { isTrained, layerTensorsOf, type Plan, type TensorSpec } from '../../network/index.ts';
import { averageName, type CarriedOptions, slotName } from '../state.ts';
import { batchName, gradientName } from './gradient-graph.ts';

export type GroupName = 'weights' | 'others' | 'statistics' | 'rest';

export interface Group {
  readonly name: GroupName;
  readonly tensors: readonly TensorSpec[];
  /** The number of elements of all tensors, including the gaps between them. */
  readonly count: number;
}

export interface Cells {
  /** The address in bytes. */
  readonly address: number;
  readonly shape: readonly number[];
}

export interface Layout {
  readonly groups: readonly Group[];
  /**
   * The vectors of each group, under the names that a single tensor's would have: `weights`, `weights/exp_avg`,
   * `gradient/weights`.
   */
  readonly vectors: ReadonlyMap<string, Cells>;
  /** The tensors inside the vectors, under the names of the state and of the gradients. */
  readonly tensors: ReadonlyMap<string, Cells>;
  /** The address of the first free byte. */
  readonly end: number;
}

const start = 1024;
/** The alignment of a tensor's first element, in elements: a line of the cache. */
const alignment = 16;
const aligned = (count: number): number => Math.ceil(count / alignment) * alignment;

/**
 * The maximum size of a small tensor, in elements. To copy so many takes no longer than to pass one more tensor to ONNX
 * Runtime.
 */
const maxSmall = 8192;
export const isSmall = (shape: TensorType['shape']): boolean => sizeOf(shape) <= maxSmall;

/** @param measured the running statistics for which each mini-batch has its own */
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

/** Returns the names of a group's vectors, as functions of a tensor's name. */
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
