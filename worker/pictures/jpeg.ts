/**
 * JPEG to pixels, upright. The frame header is read first, so that a small file that declares a huge picture costs nothing.
 * https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
 */
import decode from 'jpeg-js/lib/decoder.js';
import { orientationOf, upright } from './exif.ts';
import { damaged, requireSize, type Picture } from './picture.ts';

const MAX_MEGABYTES = 96;

/** @throws RequestError where the file is damaged or too large */
export function decodeJpeg(bytes: Uint8Array): Picture {
  const { width, height } = frameSize(bytes);
  requireSize('jpeg', width, height);
  try {
    const picture = decode(bytes, {
      useTArray: true,
      tolerantDecoding: false,
      maxMemoryUsageInMB: MAX_MEGABYTES,
    });
    return upright(picture, orientationOf(bytes));
  } catch {
    throw damaged('jpeg');
  }
}

/** From the first SOF segment: marker, length, precision, height, width. */
function frameSize(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) at += 1;
    else if (isFrame(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    else at += 2 + view.getUint16(at + 2);
  }
  throw damaged('jpeg');
}

/** SOF0 to SOF15, among which DHT, JPG and DAC have their own meaning. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
