/** The filters of convolutions, packed in the order in which the kernels read them. */
import { vectorsFor } from '../buffer.ts';
import { range } from '../wat.ts';
import type { Window } from './window.ts';

export interface Filters {
  readonly outputs: number;
  /** The number of inputs of each group. */
  readonly inputs: number;
  readonly groups: number;
  /** Returns the weight of an output channel for one of its inputs at a tap. */
  readonly at: (output: number, input: number, ky: number, kx: number) => number;
}

/** The maximum number of blocks of output channels in a tile. */
const widest = 4;
/** Blocks of output channels that are computed together. */
export interface Part {
  readonly firstBlock: number;
  readonly blocks: number;
  readonly group: number;
}

/** Divides the output channels of each group into parts. */
export function partsOf({ outputs, groups }: Filters): readonly Part[] {
  const perGroup = vectorsFor(outputs / groups);
  return range(groups).flatMap((group) =>
    range(Math.ceil(perGroup / widest)).map((i) => ({
      firstBlock: group * perGroup + i * widest,
      blocks: Math.min(widest, perGroup - i * widest),
      group,
    })),
  );
}

/** Packs the filters part by part: `[block of inputs][ky][kx][channel of the block][block][4 outputs]`. */
export function packFilters(
  { inputs, outputs, at }: Filters,
  parts: readonly Part[],
  { rows, columns }: Window,
): Float32Array {
  const packed: number[] = [];
  for (const { firstBlock, blocks } of parts) {
    for (let first = 0; first < inputs; first += 4) {
      for (let ky = 0; ky < rows.kernel; ky++) {
        for (let kx = 0; kx < columns.kernel; kx++) {
          for (let input = first; input < Math.min(first + 4, inputs); input++) {
            for (let output = 4 * firstBlock; output < 4 * (firstBlock + blocks); output++)
              packed.push(output < outputs ? at(output, input, ky, kx) : 0);
          }
        }
      }
    }
  }
  return Float32Array.from(packed);
}

/** Packs the filters: `[block][input of the group][ky][kx][4 outputs]`. */
export function packByOutput({ outputs, inputs, at }: Filters, { rows, columns }: Window): Float32Array {
  const packed: number[] = [];
  for (let first = 0; first < outputs; first += 4) {
    for (let input = 0; input < inputs; input++) {
      for (let ky = 0; ky < rows.kernel; ky++) {
        for (let kx = 0; kx < columns.kernel; kx++) {
          for (let output = first; output < first + 4; output++)
            packed.push(output < outputs ? at(output, input, ky, kx) : 0);
        }
      }
    }
  }
  return Float32Array.from(packed);
}
