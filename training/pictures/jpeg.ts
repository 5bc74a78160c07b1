/**
 * Decodes JPEG to rows of pixels, a strip of blocks at a time. This includes progressive files, whose scans are read
 * side by side.
 *
 * Decoders differ in how they round the cosine transform (by up to 4 of 255), and in how they enlarge the colour
 * channels, which most files store at half the size (by up to 71 of 255 at the edge of a saturated colour). Training
 * therefore uses the same decoder as the Worker. Both get the bits of libjpeg-turbo, which most other software shows.
 *
 * It is written here since decoders for JavaScript hold the whole picture in memory several times: 12 megapixels took
 * 197 to 518 MiB.
 */
import { at } from '../arrays/index.ts';
import { orientationOf } from './exif.ts';
import { type CoefficientStrip, ScanReader } from './jpeg-entropy.ts';
import { channelsOf, mixes, rowReader, SampleStrips } from './jpeg-samples.ts';
import type { Jpeg } from './jpeg-format.ts';
import { readJpeg } from './jpeg-segments.ts';
import { inverseTransform } from './jpeg-transform.ts';
import { damaged, type PictureRows } from './picture.ts';

/**
 * Reads the header of a JPEG file.
 *
 * @throws PictureError where the header shows that the file is damaged, too large, or of an unsupported kind
 */
export function jpegRows(bytes: Uint8Array): PictureRows {
  const jpeg = readJpeg(bytes);
  const { width, height, colour } = jpeg;
  return {
    width,
    height,
    channels: channelsOf[colour],
    orientation: orientationOf(bytes),
    read: (take) => {
      readRows(bytes, jpeg, take);
    },
  };
}

function readRows(bytes: Uint8Array, jpeg: Jpeg, take: (row: Uint8Array) => void): void {
  const { width, height, across, down, components } = jpeg;
  const units = Math.ceil(width / (8 * across));
  const strips = components.map((component): CoefficientStrip => {
    const blocks = units * component.across;
    const count = blocks * component.down;
    return { blocks, values: new Int16Array(count * 64), found: new Int32Array(2 * count) };
  });
  const samples = components.map((component, i) => new SampleStrips(component, at(strips, i).blocks));
  const readers = samples.map((part) => rowReader(part, across / part.component.across, down / part.component.down));
  const scans = reading(() => jpeg.scans.map((scan) => new ScanReader(bytes, jpeg, scan, strips)));
  const pixels = new Uint8Array(width * channelsOf[jpeg.colour]);
  const show = (from: number, to: number): void => {
    for (let y = from; y < to; y++) {
      mixes[jpeg.colour](
        readers.map((read) => read(y)),
        width,
        pixels,
      );
      take(pixels);
    }
  };
  const rows = 8 * down;
  for (let strip = 0; strip * rows < height; strip++) {
    reading(() => {
      readStrip(strip, strips, scans);
    });
    samples.forEach((part, i) => {
      transformStrip(part, at(strips, i), part.strip(strip));
    });
    // A channel at half the height also needs the strip below.
    if (strip > 0) show((strip - 1) * rows, strip * rows);
  }
  show((Math.ceil(height / rows) - 1) * rows, height);
}

function readStrip(strip: number, strips: readonly CoefficientStrip[], scans: readonly ScanReader[]): void {
  for (const { values, found } of strips) {
    values.fill(0);
    found.fill(0);
  }
  for (const scan of scans) scan.read(strip);
}

function transformStrip(
  { component, stride }: SampleStrips,
  { blocks, values, found }: CoefficientStrip,
  to: Uint8Array,
): void {
  for (let block = 0; 2 * block < found.length; block++) {
    const isFlat = found[2 * block] === 0 && found[2 * block + 1] === 0;
    const place = Math.floor(block / blocks) * 8 * stride + (block % blocks) * 8;
    inverseTransform(values, block * 64, isFlat, component.quantization, to, place, stride);
  }
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw damaged('jpeg');
  }
}
