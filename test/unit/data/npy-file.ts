const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Writes an array file as `numpy.save` does, for tests; `descr` and `shape` are Python. */
export function npy(
  descr: string,
  shape: string,
  data: Uint8Array | ArrayBufferView,
  { version = 1, order = 'False' } = {},
) {
  const text = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const padded = `${text.padEnd(Math.ceil((text.length + 9 + lengthBytes) / 64) * 64 - 9 - lengthBytes)}\n`;
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(padded.length, 0, lengthBytes);
  const content = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([Uint8Array.of(...MAGIC, version, 0), length, Buffer.from(padded, 'latin1'), content]);
}
