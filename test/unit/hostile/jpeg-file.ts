/**
 * Writes JPEG files of any shape, valid or malicious, with frames, scans, samplings and scripts that no encoder writes.
 */

/** A scan: its components, the coefficients from `first` to `last`, and the bits that it adds. */
export interface ScanScript {
  readonly components: readonly number[];
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
}

export interface JpegScript {
  readonly width: number;
  readonly height: number;
  /** The sampling factors of each component, across and down. */
  readonly sampling: readonly (readonly [across: number, down: number])[];
  readonly isProgressive?: boolean;
  readonly scans?: readonly ScanScript[];
  /** The number of units between restart markers. */
  readonly restarts?: number;
  /** Segments before the frame. */
  readonly more?: readonly Uint8Array[];
  /** Returns a coefficient, by component, the block's position in it and the coefficient's index in the file. */
  readonly coefficient: (component: number, x: number, y: number, k: number) => number;
}

export function segment(marker: number, data: ArrayLike<number>): Uint8Array {
  const length = data.length + 2;
  return Uint8Array.from([0xff, marker, length >> 8, length & 255, ...Array.from(data)]);
}

const word = (value: number): number[] => [value >> 8, value & 255];

/** Returns a Huffman table of codes of 8 bits, each its own symbol. */
const eightBits = (symbols: number): number[] => [
  ...Array.from({ length: 16 }, (_, i) => (i === 7 ? symbols : 0)),
  ...Array.from({ length: symbols }, (_, i) => i),
];
export const tables = [segment(0xc4, [0x00, ...eightBits(12)]), segment(0xc4, [0x10, ...eightBits(255)])];
/** Small quantization steps, so that large coefficients stay in range. */
export const quantization = segment(0xdb, [0, ...Array.from({ length: 64 }, (_, k) => 1 + (k >> 3))]);

/** The members of a script that a frame states. */
type FrameScript = Pick<JpegScript, 'width' | 'height' | 'sampling' | 'isProgressive'>;

export function frame({ width, height, sampling, isProgressive = false }: FrameScript): Uint8Array {
  const components = sampling.flatMap(([across, down], i) => [i + 1, (across << 4) | down, 0]);
  return segment(isProgressive ? 0xc2 : 0xc0, [8, ...word(height), ...word(width), sampling.length, ...components]);
}

export function scanHeader({ components, first, last, high, low }: ScanScript): Uint8Array {
  return segment(0xda, [components.length, ...components.flatMap((i) => [i + 1, 0]), first, last, (high << 4) | low]);
}

/** Returns the one scan of a sequential file. */
const wholeScan = ({ sampling }: JpegScript): ScanScript => ({
  components: sampling.map((_, i) => i),
  first: 0,
  last: 63,
  high: 0,
  low: 0,
});

export function jpegFile(script: JpegScript): Uint8Array {
  const { scans = [wholeScan(script)], restarts = 0, more = [] } = script;
  const parts = [
    Uint8Array.of(0xff, 0xd8),
    ...more,
    quantization,
    ...tables,
    ...(restarts > 0 ? [segment(0xdd, word(restarts))] : []),
    frame(script),
    ...scans.flatMap((scan) => [scanHeader(scan), scanData(script, scan)]),
    Uint8Array.of(0xff, 0xd9),
  ];
  return Uint8Array.from(Buffer.concat(parts));
}

class BitWriter {
  readonly bytes: number[] = [];
  #bits = 0;
  #count = 0;

  write(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#bits = (this.#bits << 1) | ((value >> bit) & 1);
      if (++this.#count < 8) continue;
      this.bytes.push(this.#bits);
      if (this.#bits === 0xff) this.bytes.push(0);
      this.#bits = this.#count = 0;
    }
  }

  /** Writes a number in `sizeOf` bits; numbers whose first bit is 0 are negative. */
  writeSigned(value: number): void {
    const size = sizeOf(value);
    this.write(value < 0 ? value + (1 << size) - 1 : value, size);
  }

  /** Pads with ones to the byte, then writes a marker. */
  end(marker?: number): void {
    while (this.#count > 0) this.write(1, 1);
    if (marker !== undefined) this.bytes.push(0xff, marker);
  }
}

const sizeOf = (value: number): number => 32 - Math.clz32(Math.abs(value));

/** Drops the lower bits, rounding towards 0. */
const above = (value: number, bit: number): number => (value < 0 ? -(-value >> bit) : value >> bit);

function scanData(script: JpegScript, scan: ScanScript): Uint8Array {
  const writer = new BitWriter();
  const predicted = script.sampling.map(() => 0);
  let [units, marker] = [0, 0];
  for (const blocks of unitsOf(script, scan)) {
    if (script.restarts && units > 0 && units % script.restarts === 0) {
      writer.end(0xd0 + (marker++ % 8));
      predicted.fill(0);
    }
    units++;
    for (const [component, x, y] of blocks) {
      const value = (k: number): number => script.coefficient(component, x, y, k);
      if (scan.first === 0) {
        if (scan.high > 0) writer.write(value(0) >> scan.low, 1);
        else {
          const level = value(0) >> scan.low;
          const difference = level - (predicted[component] ?? 0);
          predicted[component] = level;
          writer.write(sizeOf(difference), 8);
          writer.writeSigned(difference);
        }
      }
      if (scan.last === 0) continue;
      if (scan.high === 0) writeBand(writer, scan, value);
      else writeRefinement(writer, scan, value);
    }
  }
  writer.end();
  return Uint8Array.from(writer.bytes);
}

type Block = readonly [component: number, x: number, y: number];

function* unitsOf({ width, height, sampling }: JpegScript, { components }: ScanScript): Generator<readonly Block[]> {
  const [largestAcross, largestDown] = [
    Math.max(...sampling.map(([across]) => across)),
    Math.max(...sampling.map(([, down]) => down)),
  ];
  const [only = 0, ...others] = components;
  if (others.length === 0) {
    const [across, down] = sampling[only] ?? [1, 1];
    const [columns, rows] = [Math.ceil((width * across) / largestAcross), Math.ceil((height * down) / largestDown)];
    for (let y = 0; y < rows / 8; y++) for (let x = 0; x < columns / 8; x++) yield [[only, x, y]];
    return;
  }
  for (let v = 0; v < height / (8 * largestDown); v++) {
    for (let u = 0; u < width / (8 * largestAcross); u++) {
      yield components.flatMap((component) => {
        const [across, down] = sampling[component] ?? [1, 1];
        return Array.from({ length: across * down }, (_, i): Block => {
          return [component, u * across + (i % across), v * down + Math.floor(i / across)];
        });
      });
    }
  }
}

/** Writes the coefficients after the first, each after the run of zeros before it. */
function writeBand(writer: BitWriter, { first, last, low }: ScanScript, value: (k: number) => number): void {
  let run = 0;
  for (let k = Math.max(first, 1); k <= last; k++) {
    const level = above(value(k), low);
    if (level === 0) run++;
    else {
      for (; run > 15; run -= 16) writer.write(0xf0, 8);
      writer.write((run << 4) | sizeOf(level), 8);
      writer.writeSigned(level);
      run = 0;
    }
  }
  if (run > 0) writer.write(0, 8);
}

/** Writes one further bit of the coefficients that were not 0 before, between the runs of those that were. */
function writeRefinement(writer: BitWriter, { first, last, low }: ScanScript, value: (k: number) => number): void {
  let [run, pending] = [0, [] as number[]];
  const flush = (): void => {
    for (const bit of pending) writer.write(bit, 1);
    [run, pending] = [0, []];
  };
  for (let k = first; k <= last; k++) {
    const level = above(value(k), low);
    if (level === 0) {
      if (++run > 15 && hasNew(k + 1, last, low, value)) {
        writer.write(0xf0, 8);
        flush();
      }
    } else if (Math.abs(level) === 1) {
      writer.write((run << 4) | 1, 8);
      writer.write(level > 0 ? 1 : 0, 1);
      flush();
    } else pending.push(Math.abs(level) & 1);
  }
  if (run === 0 && pending.length === 0) return;
  writer.write(0, 8);
  flush();
}

function hasNew(from: number, last: number, low: number, value: (k: number) => number): boolean {
  for (let k = from; k <= last; k++) if (Math.abs(above(value(k), low)) === 1) return true;
  return false;
}
