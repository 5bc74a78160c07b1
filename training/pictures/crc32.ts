/**
 * The checksum of gzip and PNG, computed eight bytes at a time: https://www.rfc-editor.org/rfc/rfc1952#section-8. The
 * tables are made on first use, since few requests need them and every isolate would otherwise make them when it
 * starts.
 */

const polynomial = 0xedb88320 | 0;
const step = 8;

/** Maps, for each position in a step, a byte to its contribution to the checksum. */
let tables: readonly Int32Array[] | undefined;

/** Returns the checksum as a signed integer, as `DataView.getInt32` reads it. */
export function crc32(bytes: Uint8Array): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as Tables;
  let crc = -1;
  let at = 0;
  for (const max = bytes.length - step; at <= max; at += step) {
    crc =
      byte(t7, byteAt(bytes, at) ^ crc) ^
      byte(t6, byteAt(bytes, at + 1) ^ (crc >>> 8)) ^
      byte(t5, byteAt(bytes, at + 2) ^ (crc >>> 16)) ^
      byte(t4, byteAt(bytes, at + 3) ^ (crc >>> 24)) ^
      byte(t3, byteAt(bytes, at + 4)) ^
      byte(t2, byteAt(bytes, at + 5)) ^
      byte(t1, byteAt(bytes, at + 6)) ^
      byte(t0, byteAt(bytes, at + 7));
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ byte(t0, byteAt(bytes, at) ^ crc);
  return ~crc;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] as number;
const byte = (table: Int32Array, index: number): number => table[index & 0xff] as number;

function makeTables(): readonly Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, i) => {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    return crc;
  });
  const all = [first];
  for (let place = 1; place < step; place++) {
    all.push((all[place - 1] as Int32Array).map((crc) => (crc >>> 8) ^ byte(first, crc)));
  }
  return all;
}
