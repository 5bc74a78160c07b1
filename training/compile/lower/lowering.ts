/** The state that the rules for single ops share: where each value lies, in which layout, and the kernels so far. */
import { knownSizes, type Node, normalizeAxis, sizesOf, type Value } from '../../graph/index.ts';
import { at, elementCount } from '../../arrays/index.ts';
import { Blocked, type ImageSize, Plain, Stored } from '../buffer.ts';
import type { CompactType } from '../compact-weights.ts';
import { lanesOf, numbersOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import { laneTypeOf } from '../expression/of-node.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { border, toBlocked, toPlain } from '../kernels/repack.ts';

interface Place {
  plain?: Plain | Stored;
  blocked?: Blocked;
}

export interface LoweringOptions {
  readonly maxResults?: number;
  /** Values that are carried from run to run, in which denormals are replaced by zero. */
  readonly flushed?: readonly Value[];
  /** The type that weights are stored as. Default: single precision. */
  readonly weights?: CompactType | undefined;
}

export class Lowering {
  readonly kernels: Kernel[] = [];
  readonly #places = new Map<string, Place>();
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #done = new Set<Node>();
  readonly #outputs: ReadonlySet<string>;
  readonly nodes: readonly Node[];
  readonly #makers: ReadonlyMap<string, Node>;
  /** The maximum number of values that a kernel of elementwise nodes may write. */
  readonly maxResults: number;
  readonly #flushed: ReadonlySet<string>;
  readonly weights: CompactType | undefined;

  constructor(nodes: readonly Node[], outputs: readonly Value[], options: LoweringOptions = {}) {
    const { maxResults = 1, flushed = [], weights } = options;
    this.weights = weights;
    this.nodes = nodes;
    this.maxResults = maxResults;
    this.#flushed = new Set(flushed.map(({ name }) => name));
    this.#makers = new Map(nodes.flatMap((node) => node.outputs.map(({ name }) => [name, node] as const)));
    this.#outputs = new Set(outputs.map(({ name }) => name));
    const readers = new Map<string, Node[]>();
    for (const node of nodes) {
      for (const value of new Set(node.inputs)) {
        if (value) readers.set(value.name, [...(readers.get(value.name) ?? []), node]);
      }
    }
    this.#readers = readers;
  }

  readersOf({ name }: Value): readonly Node[] {
    return this.#readers.get(name) ?? [];
  }

  /** Returns the node that produces a value; undefined for an input. */
  makerOf({ name }: Value): Node | undefined {
    return this.#makers.get(name);
  }

  isOutput({ name }: Value): boolean {
    return this.#outputs.has(name);
  }

  isFlushed({ name }: Value): boolean {
    return this.#flushed.has(name);
  }

  /** Is true where the value has been computed before the next kernel runs. */
  isAvailable(value: Value): boolean {
    return value.constant !== undefined || this.#places.has(value.name);
  }

  /** Marks nodes that another node's kernel also computes. */
  finish(nodes: readonly Node[]): void {
    for (const node of nodes) this.#done.add(node);
  }

  isDone(node: Node): boolean {
    return this.#done.has(node);
  }

  add(...kernels: readonly Kernel[]): void {
    this.kernels.push(...kernels);
  }

  define(value: Value, buffer: Plain | Blocked | Stored): void {
    const place = this.#placeOf(value);
    if (buffer instanceof Blocked) place.blocked = buffer;
    else place.plain = buffer;
  }

  /** Makes a row-major buffer for a value. */
  newPlain(value: Value): Plain {
    const buffer = new Plain(value.name, sizeOf(value));
    this.define(value, buffer);
    return buffer;
  }

  /** Makes a blocked buffer for an image `[1, C, H, W]`, and adds the kernel that sets its border to zero. */
  newBlocked(value: Value): Blocked {
    const buffer = new Blocked(value.name, imageSizeOf(value));
    this.define(value, buffer);
    this.add(border(buffer));
    return buffer;
  }

  isBlocked(value: Value): boolean {
    return this.#places.get(value.name)?.blocked !== undefined;
  }

  /** Returns the row-major buffer of a value, after converting it where it lies in blocks. */
  plain(node: Pick<Node, 'name' | 'op'>, value: Value): Plain | Stored {
    laneTypeOf(node, value);
    const place = this.#placeOf(value);
    if (place.plain) return place.plain;
    if (value.constant) return (place.plain = storedOf(value));
    if (!place.blocked) throw new Error(`internal: ${value.name} is read before it is computed`);
    const { blocked } = place;
    const plain = this.newPlain(value);
    this.add(toPlain(blocked, plain));
    return plain;
  }

  /** Returns the buffer of an image `[1, C, H, W]` in blocks of channels, after converting it where it is row-major. */
  blocked(node: Pick<Node, 'name' | 'op'>, value: Value): Blocked {
    const place = this.#placeOf(value);
    if (place.blocked) return place.blocked;
    if (value.shape.length !== 4 || value.shape[0] !== 1)
      throw uncovered(node, `expected one image [1, C, H, W], got [${value.shape.join(', ')}] for ${value.name}`);
    const plain = this.plain(node, value);
    const blocked = this.newBlocked(value);
    this.add(toBlocked(plain, blocked));
    return blocked;
  }

  #placeOf({ name }: Value): Place {
    const place = this.#places.get(name) ?? {};
    this.#places.set(name, place);
    return place;
  }
}

export const shapeOf = ({ shape }: Pick<Value, 'shape'>): readonly number[] => knownSizes(shape);

export const sizeOf = (value: Pick<Value, 'shape'>): number => elementCount(shapeOf(value));

export function imageSizeOf(value: Value): ImageSize {
  const [, channels, height, width] = sizesOf(value, 4);
  return { channels, height, width };
}

/** Divides a shape at an axis: the numbers of elements before it, along it, and after it. */
export function aroundAxis(shape: readonly number[], given: number) {
  const axis = normalizeAxis(given, shape.length);
  return {
    outer: elementCount(shape.slice(0, axis)),
    count: at(shape, axis),
    inner: elementCount(shape.slice(axis + 1)),
  };
}

function storedOf({ name, constant }: Value): Stored {
  if (!constant) throw new Error(`internal: ${name} is not stored`);
  const numbers = numbersOf(constant);
  return new Stored(
    name,
    constant.dtype === 'float32' ? Float32Array.from(numbers) : lanesOf(name, constant.dtype, numbers),
  );
}
