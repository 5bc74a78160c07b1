import { describe, expect, it } from 'vitest';
import { orientationOf, uprightPicture } from '../../training/pictures/exif.ts';
import { type Picture, rowsOf } from '../../training/pictures/picture.ts';
import { jpegs, turnedJpeg } from './pictures.ts';

const jpeg = Uint8Array.from(atob(jpegs['baseline'] ?? ''), (char) => char.charCodeAt(0));

/** Turns an image in which a character stands for a pixel: `ab/cd/ef` has two columns and three rows. */
function turned(rows: string, orientation: number): string {
  const [width, height] = [rows.indexOf('/'), rows.split('/').length];
  const letters = Array.from(rows.replaceAll('/', ''), (letter) => letter.charCodeAt(0));
  const picture: Picture = {
    width,
    height,
    channels: 4,
    data: Uint8Array.from(letters.flatMap((letter) => [letter, letter, letter, letter])),
  };
  const { width: columns, data } = uprightPicture({ ...rowsOf(picture), orientation });
  const text = String.fromCharCode(...data.filter((_, i) => i % 4 === 0));
  return text.match(new RegExp(`.{${columns}}`, 'g'))?.join('/') ?? '';
}

describe('the orientation of a picture', () => {
  // The upright image is ab/cd/ef; the first column is how a camera stores it under each value of the tag.
  it.each([
    ['ab/cd/ef', 1],
    ['ba/dc/fe', 2],
    ['fe/dc/ba', 3],
    ['ef/cd/ab', 4],
    ['ace/bdf', 5],
    ['bdf/ace', 6],
    ['fdb/eca', 7],
    ['eca/fdb', 8],
    ['ab/cd/ef', 0],
    ['ab/cd/ef', 9],
  ])('turns %s with the value %i upright', (stored, orientation) => {
    expect(turned(stored, orientation)).toBe('ab/cd/ef');
  });

  it.each([
    [6, true],
    [8, false],
  ])('is read from a JPEG: %i, little-endian %s', (orientation, littleEndian) => {
    expect(orientationOf(turnedJpeg(jpeg, orientation, littleEndian))).toBe(orientation);
  });

  it('is read behind bytes that fill the space before a marker', () => {
    const whole = turnedJpeg(jpeg, 6, true);
    const filled = Uint8Array.of(...whole.subarray(0, 2), 0xff, 0xff, ...whole.subarray(2));
    expect(orientationOf(filled)).toBe(6);
  });

  it('is 1 in a JPEG without Exif, and in one whose Exif segment is cut off anywhere', () => {
    expect(orientationOf(jpeg)).toBe(1);
    const whole = turnedJpeg(jpeg, 6, true);
    for (let length = 2; length < 2 + 4 + 6 + 20; length++) expect(orientationOf(whole.subarray(0, length))).toBe(1);
  });
});
