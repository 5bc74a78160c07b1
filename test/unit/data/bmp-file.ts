/**
 * Writes a Windows bitmap for tests: uncompressed, rows from the bottom up, with a palette of reds and blues in 8 bits.
 */
export function bmp(bits: 8 | 24 | 32, width: number, height: number, rgb: readonly number[]): Uint8Array {
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  const palette = bits === 8 ? Array.from({ length: 256 }, (_, i) => [255 - i, 0, i, 0]).flat() : [];
  const file = Buffer.alloc(54 + palette.length + rowBytes * height);
  file.write('BM');
  file.writeUInt32LE(54 + palette.length, 10);
  [40, width, height].forEach((value, i) => file.writeUInt32LE(value, 14 + 4 * i));
  file.writeUInt16LE(bits, 28);
  file.set(palette, 54);
  for (let i = 0; i < width * height; i++) {
    const at = 54 + palette.length + (height - 1 - Math.floor(i / width)) * rowBytes + (i % width) * (bits / 8);
    const [red = 0, green = 0, blue = 0] = rgb.slice(3 * i, 3 * i + 3);
    file.set(bits === 8 ? [red] : [blue, green, red], at);
  }
  return file;
}
