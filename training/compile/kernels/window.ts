/** Describes how a window slides over an image, axis by axis. */
import { at } from '../../arrays/index.ts';
import type { Border } from '../buffer.ts';

export interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** The number of rows or columns of zeros in front. */
  readonly before: number;
  readonly size: number;
  readonly outputs: number;
}

export interface Window {
  readonly rows: Axis;
  readonly columns: Axis;
}

interface Attributes {
  readonly kernel_shape: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations?: readonly number[];
}

/**
 * @param x the image's shape `[N, C, H, W]`
 * @param y the output's shape
 */
export function windowOf(attributes: Attributes, x: readonly number[], y: readonly number[]): Window {
  const { kernel_shape, strides, pads, dilations = [1, 1] } = attributes;
  const axis = (i: number): Axis => ({
    kernel: at(kernel_shape, i),
    stride: at(strides, i),
    dilation: at(dilations, i),
    before: at(pads, i),
    size: at(x, 2 + i),
    outputs: at(y, 2 + i),
  });
  return { rows: axis(0), columns: axis(1) };
}

/** Returns how far the windows reach beyond the image. */
export function borderOf({ rows, columns }: Window): Border {
  const after = ({ kernel, stride, dilation, before, size, outputs }: Axis): number =>
    Math.max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - before - size);
  return { top: rows.before, left: columns.before, bottom: after(rows), right: after(columns) };
}

/** Consecutive outputs whose windows have the same taps within the image. */
export interface Stretch {
  readonly from: number;
  readonly count: number;
  readonly firstTap: number;
  readonly taps: number;
}

export function stretchesOf({ kernel, stride, dilation, before, size, outputs }: Axis): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (let output = 0; output < outputs; output++) {
    const inside = Array.from({ length: kernel }, (_, tap) => tap).filter((tap) => {
      const index = output * stride - before + tap * dilation;
      return index >= 0 && index < size;
    });
    // A window may lie in the padding alone.
    const [firstTap, taps] = [inside[0] ?? 0, inside.length];
    const last = stretches.at(-1);
    if (last?.firstTap === firstTap && last.taps === taps)
      stretches[stretches.length - 1] = { ...last, count: last.count + 1 };
    else stretches.push({ from: output, count: 1, firstTap, taps });
  }
  return stretches;
}
