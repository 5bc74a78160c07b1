/**
 * JPEG to pixels, upright. Decoders differ: in how they round the cosine transform (up to 4 of 255), and in how they enlarge the colour
 * channels, which most files hold at half the size (up to 71 of 255 at the edge of a saturated colour). Training therefore decodes
 * with this one what a Worker will decode with it.
 * https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
 */
import decode from 'jpeg-js/lib/decoder.js';
import { orientationOf, upright } from './exif.ts';
import { damaged, type Picture, requireSize } from './picture.ts';

/** What a Worker has for a picture of `MAX_PIXELS`. */
const MAX_MEGABYTES = 96;

/** @throws PictureError where the file is damaged or too large */
export function decodeJpeg(bytes: Uint8Array): Picture {
  const { width, height } = frameSize(bytes);
  requireSize('jpeg', width, height);
  const options = { useTArray: true, tolerantDecoding: false, maxMemoryUsageInMB: MAX_MEGABYTES } as const;
  try {
    const { data } = decode(bytes, options);
    return upright({ width, height, channels: 4, data }, orientationOf(bytes));
  } catch {
    throw damaged('jpeg');
  }
}

/** From the first SOF segment, ahead of all decoding: marker, length, precision, height, width. */
function frameSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
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
