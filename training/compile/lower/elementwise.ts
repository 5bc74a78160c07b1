/**
 * Lowers elementwise regions to kernels: in blocks of channels where an operand lies like that and all others can be
 * read beside it, otherwise row-major.
 */
import { at } from '../../arrays/index.ts';
import { type Node, sameShape, type Value } from '../../graph/index.ts';
import { type Blocked, type Buffer, Stored, vectorBytes, vectorsFor } from '../buffer.ts';
import { broadcast, broadcastStrides, lanesOf, stridesOf } from '../constant.ts';
import { flushed } from '../expression/expression.ts';
import { isElementwise } from '../expression/of-node.ts';
import { elementwise, type Operand } from '../kernels/elementwise.ts';
import { merged } from '../kernels/nest.ts';
import { imageSizeOf, type Lowering, shapeOf, sizeOf } from './lowering.ts';
import { type Region, regionFrom } from './region.ts';

export function lowerElementwise(lowering: Lowering, node: Node): void {
  if (!isElementwise(node)) throw new Error(`internal: ${node.op} is not elementwise`);
  const region = regionFrom(lowering, [], [node], (value) => lowering.isAvailable(value));
  lowering.finish(region.nodes);
  emitRegion(lowering, node, region);
}

/** Emits the kernel of a region in the layout that suits it. */
function emitRegion(lowering: Lowering, node: Node, region: Region): void {
  if (isImage(lowering, region)) emitBlocked(lowering, node, region);
  else emitPlain(lowering, node, region);
}

const about = ({ nodes, results }: Region): string =>
  `${results.map(({ value }) => value.name).join(', ')}: ${nodes.map(({ op }) => op).join(', ')}`;

/** Returns one of the results, which all have the same shape. */
function exampleOf({ results: [first] }: Region): Value {
  if (!first) throw new Error('internal: a region without results');
  return first.value;
}

/** Is true where an operand is an image in blocks of channels, and all others can be read beside it. */
function isImage(lowering: Lowering, region: Region): boolean {
  const { operands } = region;
  const out = exampleOf(region);
  if (out.shape.length !== 4 || out.shape[0] !== 1) return false;
  const whole = (value: Value): boolean => sameShape(value.shape, out.shape);
  return (
    operands.some((value) => lowering.isBlocked(value) && whole(value)) &&
    operands.every(
      (value) => value.constant !== undefined || whole(value) || isPerChannel(value, out) || sizeOf(value) === 1,
    )
  );
}

const isPerChannel = (value: Value, out: Value): boolean =>
  broadcastStrides(shapeOf(value), shapeOf(out)).every((stride, axis) => axis === 1 || stride === 0);

function emitBlocked(lowering: Lowering, node: Node, region: Region): void {
  const { operands, results } = region;
  const out = exampleOf(region);
  const reads = operands.map((value) => blockedOperand(lowering, node, value, out));
  const buffers = results.map(({ value, tree }) => ({ tree, buffer: lowering.newBlocked(value) }));
  const { height, width } = imageSizeOf(out);
  lowering.add(
    elementwise({
      about: about(region),
      counts: [vectorsFor(imageSizeOf(out).channels), height, width],
      operands: reads,
      results: buffers.map(({ tree, buffer }) => ({ tree, buffer, walk: () => walkOf(buffer) })),
    }),
  );
}

const walkOf = ({ origin, planeBytes, rowBytes }: Blocked) => ({
  offset: origin,
  strides: [planeBytes, rowBytes, vectorBytes],
});

function blockedOperand(lowering: Lowering, node: Node, value: Value, out: Value): Operand {
  if (value.constant) return storedImage(value, out);
  if (sizeOf(value) === 1) return fixed(lowering.plain(node, value), 'splat', [0, 0, 0]);
  if (isPerChannel(value, out)) return fixed(lowering.plain(node, value), 'vector', [vectorBytes, 0, 0]);
  const buffer = lowering.blocked(node, value);
  return { buffer, read: 'vector', walk: () => walkOf(buffer) };
}

const fixed = (buffer: Buffer, read: Operand['read'], strides: readonly number[]): Operand => ({
  buffer,
  read,
  walk: () => ({ offset: 0, strides }),
});

/** Stores numbers in blocks of channels: a single vector for each block where all pixels have the same numbers. */
function storedImage(value: Value, out: Value): Operand {
  const { channels, height, width } = imageSizeOf(out);
  const isUniform = isPerChannel(value, out);
  const pixels = isUniform ? 1 : height * width;
  const packed = packImage(value, isUniform ? [1, channels, 1, 1] : shapeOf(out), channels, pixels);
  const strides = isUniform ? [vectorBytes, 0, 0] : [pixels * vectorBytes, width * vectorBytes, vectorBytes];
  return fixed(packed, 'vector', strides);
}

function packImage(value: Value, shape: readonly number[], channels: number, pixels: number): Stored {
  if (!value.constant) throw new Error(`internal: ${value.name} is not stored`);
  const numbers = broadcast(value.constant, shape);
  const lanes = value.dtype === 'float32' ? numbers : lanesOf(value.name, value.dtype, numbers);
  const packed = new (value.dtype === 'float32' ? Float32Array : Int32Array)(4 * vectorsFor(channels) * pixels);
  lanes.forEach((number, i) => {
    const [channel, pixel] = [Math.floor(i / pixels), i % pixels];
    packed[(Math.floor(channel / 4) * pixels + pixel) * 4 + (channel % 4)] = number;
  });
  return new Stored(value.name, packed);
}

function emitPlain(lowering: Lowering, node: Node, region: Region): void {
  const { operands, results } = region;
  const out = exampleOf(region);
  const buffers = operands.map((value) => lowering.plain(node, value));
  const shape = shapeOf(out);
  const strides = [...operands.map((value) => broadcastStrides(shapeOf(value), shape)), stridesOf(shape)];
  // Axes are merged as far as possible, in elements; then the last one is counted in vectors.
  const nest = merged({ counts: shape, pointers: strides.map((own, i) => ({ local: String(i), strides: own })) });
  const last = nest.counts.length - 1;
  const counts = last < 0 ? [1] : nest.counts.with(last, vectorsFor(at(nest.counts, last)));
  const inBytes = nest.pointers.map(({ strides: own }) =>
    last < 0 ? [0] : own.map((stride, axis) => stride * (axis === last ? vectorBytes : 4)),
  );
  const [reads, toWalk] = [inBytes.slice(0, -1), at(inBytes, inBytes.length - 1)];
  // An operand can be overwritten only with a single axis: with rows, the end of each is written past, over numbers
  // that have not been read yet.
  const isInStep = (own: readonly number[]) => counts.length === 1 && own[0] === toWalk[0];
  lowering.add(
    elementwise({
      about: about(region),
      counts,
      operands: reads.map((own, i) => fixed(at(buffers, i), own.at(-1) === 0 ? 'splat' : 'vector', own)),
      results: results.map(({ value, tree }) => ({
        tree: lowering.isFlushed(value) ? flushed(tree) : tree,
        buffer: lowering.newPlain(value),
        walk: () => ({ offset: 0, strides: toWalk }),
      })),
      overwrites: buffers.filter((_, i) => isInStep(at(reads, i))),
      isExact: counts.length === 1 || at(nest.counts, last) % 4 === 0,
    }),
  );
}
