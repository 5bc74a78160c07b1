/** Resizes in float64, straight from the definition: no passes, no rounding. */

/** A channel, row by row. */
interface Channel {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/**
 * out(X, Y) = Σ w(x) w(y) in(x, y) / Σ w(x) w(y), where w(x) = max(0, 1 − |x + ½ − (X + ½)·s| / max(s, 1)), and s is
 * the number of source pixels for each target pixel.
 */
export function resampled({ width, height, data }: Channel, columns: number, rows: number): Float64Array {
  const weight = (source: number, target: number, scale: number): number =>
    Math.max(0, 1 - Math.abs(source + 0.5 - (target + 0.5) * scale) / Math.max(scale, 1));
  return Float64Array.from({ length: columns * rows }, (_, i) => {
    let [sum, total] = [0, 0];
    for (let at = 0; at < width * height; at++) {
      const across = weight(at % width, i % columns, width / columns);
      const down = weight(Math.floor(at / width), Math.floor(i / columns), height / rows);
      sum += across * down * (data[at] ?? NaN);
      total += across * down;
    }
    return sum / total;
  });
}
