/** Pictures become an input by the model's card and the input's shape. */
import { describe, expect, it } from 'vitest';
import type { Port } from '../../../exporter/served/ports.ts';
import { parseCard } from '../../../exporter/store/card.ts';
import { pictureOf } from '../../../exporter/store/picture.ts';
import { type PicturePreparation, plainPreparation } from '../../../training/pictures/index.ts';

const card = (picture: unknown) =>
  parseCard('card.json', JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', picture }] }));

function found(picture: unknown, dims: Port['dims'], datatype: Port['datatype'] = 'FP32') {
  const stated = picture === undefined ? undefined : card(picture).inputs?.[0]?.picture;
  return pictureOf(stated, { name: 'x', datatype, dims });
}

const plain = (rows: number, columns: number, channels: PicturePreparation['channels']) =>
  plainPreparation({ rows, columns }, channels);

const imagenet = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const caffe = { scale: 1, mean: [103.939, 116.779, 123.68], std: 1 };

describe('a card and the shape of an input', () => {
  it.each<[string, unknown, Port['dims'], PicturePreparation]>([
    ['a preset by its name', '[0,1]', ['N', 3, 8, 6], { ...plain(8, 6, 3), values: [0, 1] }],
    ['bytes as they are', 'raw', ['N', 8, 6, 3], { ...plain(8, 6, 3), layout: 'NHWC' }],
    ['grey in front', { preset: '[-1,1]' }, ['N', 1, 8, 6], { ...plain(8, 6, 1), values: [-1, 1] }],
    ['grey behind', 'raw', ['N', 8, 6, 1], { ...plain(8, 6, 1), layout: 'NHWC' }],
    ['rows and columns', 'raw', ['N', 8, 6], plain(8, 6, 1)],
    ['784 numbers', 'raw', ['N', 784], plain(28, 28, 1)],
    ['numbers of a size', { preset: 'raw', size: { rows: 2, columns: 8 } }, ['N', 16], plain(2, 8, 1)],
    ['3072 numbers', { preset: 'raw', layout: 'NHWC' }, ['N', 3072], { ...plain(32, 32, 3), layout: 'NHWC' }],
    ['free rows and columns', { preset: 'raw', size: 16 }, ['N', 3, 'H', 'W'], plain(16, 16, 3)],
    [
      'free sizes before three channels',
      { preset: 'raw', size: 16 },
      ['N', '', '', 3],
      { ...plain(16, 16, 3), layout: 'NHWC' },
    ],
    ['all free', { preset: 'raw', size: 9, channels: 'grey', layout: 'NCHW' }, ['', '', '', ''], plain(9, 9, 1)],
    [
      'no shape',
      { preset: 'raw', size: 9, channels: 'RGB', layout: 'NHWC' },
      undefined,
      { ...plain(9, 9, 3), layout: 'NHWC' },
    ],
    ['four channels', { preset: 'raw', channels: 'RGBA' }, ['N', 4, 8, 6], plain(8, 6, 4)],
    ['either layout, as is said', { preset: 'raw', layout: 'NCHW' }, ['N', 3, 3, 3], plain(3, 3, 3)],
    [
      'drawings',
      { preset: '[0,1]', drawing: true },
      ['N', 1, 28, 28],
      { ...plain(28, 28, 1), values: [0, 1], drawing: true },
    ],
    [
      'imagenet',
      'imagenet',
      ['N', 3, 224, 224],
      { ...plain(224, 224, 3), fit: 'cover', resize: 256, numbers: imagenet },
    ],
    [
      'imagenet of 299, as timm and torchvision have it',
      'imagenet',
      ['N', 3, 299, 299],
      { ...plain(299, 299, 3), fit: 'cover', resize: 342, numbers: imagenet },
    ],
    [
      'imagenet, but for the fit',
      { preset: 'imagenet', fit: 'contain', background: '#000000' },
      ['N', 3, 9, 9],
      { ...plain(9, 9, 3), fit: 'contain', background: '#000000', numbers: imagenet },
    ],
    [
      'imagenet, blue first',
      { preset: 'imagenet', channels: 'BGR', resize: 9 },
      ['N', 3, 9, 9],
      {
        ...plain(9, 9, 3),
        fit: 'cover',
        resize: 9,
        numbers: { scale: 1 / 255, mean: [0.406, 0.456, 0.485], std: [0.225, 0.224, 0.229] },
        order: 'BGR',
      },
    ],
    [
      'means of bytes, blue first',
      { ...caffe, channels: 'BGR' },
      ['N', 9, 9, 3],
      { ...plain(9, 9, 3), numbers: { ...caffe, std: [1, 1, 1] }, layout: 'NHWC', order: 'BGR' },
    ],
    [
      'a scale alone',
      { scale: '1/255' },
      ['N', 1, 9, 9],
      { ...plain(9, 9, 1), numbers: { scale: 1 / 255, mean: [0], std: [1] } },
    ],
    [
      'all that an export says',
      { ...plain(9, 9, 3), drawing: true },
      ['N', 3, 9, 9],
      { ...plain(9, 9, 3), drawing: true },
    ],
    ['an export, as one row', plain(9, 9, 3), ['N', 243], plain(9, 9, 3)],
    [
      'an export without numbers',
      { ...plain(9, 9, 1), values: null },
      ['N', 1, 9, 9],
      { ...plain(9, 9, 1), values: null },
    ],
  ])('tell: %s', (_, picture, dims, expected) => {
    expect(found(picture, dims)).toEqual({ picture: expected, objections: [] });
  });

  it('tell of bytes that they are as they are, and nothing of other numbers', () => {
    expect(found(undefined, ['N', 8, 6, 3], 'UINT8')).toEqual({
      picture: { ...plain(8, 6, 3), layout: 'NHWC' },
      objections: [],
    });
    for (const dims of [['N', 3, 8, 6], ['N', 784], undefined] as const) {
      expect(found(undefined, dims)).toEqual({ objections: [] });
    }
    expect(found(undefined, ['N', 3, 'H', 'W'], 'UINT8')).toEqual({ objections: [] });
  });

  it.each<[string, unknown, Port['dims'], string]>([
    [
      'another layout',
      { preset: 'raw', layout: 'NCHW' },
      ['N', 8, 6, 3],
      '.layout: expected NHWC, as the file takes "x" [-1, 8, 6, 3], got "NCHW"',
    ],
    [
      'other channels',
      { preset: 'raw', channels: 'grey' },
      ['N', 3, 8, 6],
      '.channels: expected "RGB" or "BGR", as the file takes "x" [-1, 3, 8, 6], got "grey"',
    ],
    [
      'another size',
      { preset: 'raw', size: 7 },
      ['N', 3, 8, 6],
      '.size: expected 8 rows and 6 columns, as the file takes "x" [-1, 3, 8, 6], got {"rows":7,"columns":7}',
    ],
    [
      'four channels unsaid',
      'raw',
      ['N', 4, 8, 6],
      '.channels: expected "RGBA", if these are the 4 channels of "x" [-1, 4, 8, 6], got none',
    ],
    [
      'two layouts',
      'raw',
      ['N', 3, 3, 3],
      '.layout: expected "NCHW" or "NHWC", as "x" [-1, 3, 3, 3] may be any, got none',
    ],
    [
      'two layouts in one row',
      'raw',
      ['N', 3072],
      '.layout: expected "NCHW" or "NHWC", as "x" [-1, 3072] may be any, got none',
    ],
    [
      'free channels',
      'raw',
      ['N', 'C', 8, 6],
      '.channels: expected "grey", "RGB", "BGR" or "RGBA", as "x" [-1, -1, 8, 6] may be any, got none',
    ],
    [
      'free rows',
      'raw',
      ['N', 3, 'H', 6],
      '.size: expected the rows and columns to which pictures are brought, as "x" [-1, 3, -1, 6] leaves them free, got none',
    ],
    [
      'no pictures',
      'raw',
      ['N', 5],
      ': expected an input of pictures, [N, C, H, W], [N, H, W, C], [N, H, W] or [N, C·H·W], got "x" [-1, 5]',
    ],
    [
      'no sizes',
      'raw',
      ['N'],
      ': expected an input of pictures, [N, C, H, W], [N, H, W, C], [N, H, W] or [N, C·H·W], got "x" [-1]',
    ],
    [
      'numbers without an end',
      { scale: 1, std: 1e-300 },
      ['N', 1, 8, 6],
      ': expected numbers that FP32 holds, as the file takes them, got Infinity for a byte',
    ],
    [
      'black as white',
      { scale: 1e-320 },
      ['N', 1, 8, 6],
      ': expected another number for white than for black, got 0 for both',
    ],
    [
      'a fit of drawings',
      { preset: 'raw', drawing: true, fit: 'cover' },
      ['N', 1, 8, 6],
      '.fit: expected none beside "drawing", got "cover"',
    ],
    [
      'nothing of numbers',
      {},
      ['N', 3, 8, 6],
      '.preset: expected "imagenet", "[0,1]", "[-1,1]", "raw", or "scale", "mean" and "std" in its place, got none',
    ],
    [
      'drawings without numbers',
      { drawing: true },
      ['N', 1, 8, 6],
      '.preset: expected "imagenet", "[0,1]", "[-1,1]", "raw", or "scale", "mean" and "std" in its place, got none',
    ],
    [
      'numbers twice',
      { preset: 'raw', mean: 1 },
      ['N', 3, 8, 6],
      '.mean: expected none beside the preset "raw", got one',
    ],
    [
      'two means',
      { scale: 1, mean: [1, 2], std: 1 },
      ['N', 3, 8, 6],
      '.mean: expected one number, or 3 as the input has channels, got 2',
    ],
    [
      'three means of grey',
      { ...imagenet },
      ['N', 1, 8, 6],
      '.mean: expected one number, or 1 as the input has channels, got 3',
    ],
    [
      'imagenet in grey',
      'imagenet',
      ['N', 1, 8, 6],
      '.preset: expected another than "imagenet", which is of 3 channels, for an input of 1',
    ],
    [
      'no scale',
      { mean: 0.5, std: 0.5 },
      ['N', 1, 8, 6],
      '.scale: expected 1 if mean and std are of bytes, "1/255" if they are of numbers from 0 to 1, got none',
    ],
    [
      'a side cut to nothing',
      { preset: 'imagenet', resize: 8 },
      ['N', 3, 9, 9],
      '.resize: expected at least 9, of which the size is cut out, got 8',
    ],
    [
      'a side that nobody cuts',
      { preset: 'raw', resize: 9 },
      ['N', 3, 9, 9],
      '.resize: expected none without "fit": "cover", got one',
    ],
    [
      'more than memory',
      { preset: 'raw', size: 4000 },
      ['N', 3, 'H', 'W'],
      '.size: expected at most 8388608 numbers of all channels, got 48000000',
    ],
  ])('are refused by the key: %s', (_, picture, dims, objection) => {
    const { picture: none, objections } = found(picture, dims);
    expect(objections[0]).toBe(objection);
    expect(none).toBeUndefined();
  });

  it.each([
    ['INT8', 'raw', ': expected numbers that INT8 holds, as the file takes them, got 255 for a byte'],
    ['UINT8', '[0,1]', /^: expected numbers that UINT8 holds, as the file takes them, got 0\.0039\d* for a byte$/],
  ] as const)('are refused where %s holds no such numbers: %s', (datatype, preset, objection) => {
    const [got] = found(preset, ['N', 3, 8, 6], datatype).objections;
    expect(got).toMatch(objection);
  });

  it('agree where the datatype holds the numbers', () => {
    const { picture } = found({ scale: 1, mean: 128 }, ['N', 3, 8, 6], 'INT8');
    expect(picture?.numbers).toEqual({ scale: 1, mean: [128, 128, 128], std: [1, 1, 1] });
  });

  it.each([
    [{ preset: 'raw', std: [0] }, 'picture.std[0]: expected a number above 0, got 0'],
    [{ preset: 'raw', std: [-1] }, 'picture.std[0]: expected a number above 0, got -1'],
    [{ scale: 0 }, 'picture.scale: expected a number other than 0, got 0'],
    [{ scale: '1/256' }, 'picture.scale: expected a number, got "1/256"'],
    [{ mean: [] }, 'picture.mean: expected a list of at least 1, got []'],
    [{ size: 0 }, 'picture.size.rows: expected a number above 0, got 0'],
    [{ size: 1e6 }, 'picture.size.rows: expected a number of at most 8192, got 1000000'],
    [{ size: 1.5 }, 'picture.size.rows: expected a whole number, got 1.5'],
    [{ channels: 'RBG' }, 'picture.channels: expected 1, 3, 4, "grey", "RGB", "BGR" or "RGBA", got "RBG"'],
    [{ fit: 'crop' }, 'picture.fit: expected "stretch", "cover" or "contain", got "crop"'],
    [{ means: [1] }, 'unknown key "means"; known are preset, layout, size, channels'],
    ['image-net', 'picture.preset: expected "imagenet", "[0,1]", "[-1,1]" or "raw", got "image-net"'],
    [7, 'picture: expected an object, got 7'],
  ])('are refused as no card: %j', (picture, message) => {
    expect(() => card(picture)).toThrow(message);
  });
});
