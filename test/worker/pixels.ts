/** Returns an input of the fixture `digits`: `batch` images whose pixels follow a fixed pattern. */
export function pixels(batch: number, from = 0): { name: string; shape: number[]; datatype: string; data: number[] } {
  const data = Array.from(
    { length: batch * 784 },
    (_, i) => ((i + from * 784) * 37 + ((i / 784 + from) | 0) * 11) % 256,
  );
  return { name: 'pixels', shape: [batch, 1, 28, 28], datatype: 'FP32', data };
}
