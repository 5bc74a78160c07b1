/** Resizing one channel: a triangle filter as wide as the shrinking, so that thin strokes fade instead of vanishing. */

/** One channel, row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Linear interpolation where it grows, a weighted average over all covered pixels where it shrinks. */
export function resample(plane: Plane, width: number, height: number): Plane {
  return transpose(resampleRows(transpose(resampleRows(plane, width)), height));
}

function resampleRows({ width, height, data }: Plane, target: number): Plane {
  if (width === target) return { width, height, data };
  const weights = weightsOf(width, target);
  const result = new Float32Array(target * height);
  for (let y = 0; y < height; y++) {
    weights.forEach(({ first, shares }, x) => {
      const from = y * width + first;
      result[y * target + x] = shares.reduce((sum, share, i) => sum + share * (data[from + i] ?? 0), 0);
    });
  }
  return { width: target, height, data: result };
}

/** For each target pixel, the shares of the source pixels it is made of; they add up to 1. */
function weightsOf(source: number, target: number): readonly { first: number; shares: readonly number[] }[] {
  const scale = source / target;
  const radius = Math.max(scale, 1);
  return Array.from({ length: target }, (_, x) => {
    const centre = (x + 0.5) * scale;
    const first = Math.max(Math.ceil(centre - radius - 0.5), 0);
    const last = Math.min(Math.floor(centre + radius - 0.5), source - 1);
    const raw = Array.from({ length: last - first + 1 }, (_, i) => 1 - Math.abs(first + i + 0.5 - centre) / radius);
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, shares: raw.map((share) => share / sum) };
  });
}

function transpose({ width, height, data }: Plane): Plane {
  const result = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result[x * height + y] = data[y * width + x] ?? 0;
  }
  return { width: height, height: width, data: result };
}
