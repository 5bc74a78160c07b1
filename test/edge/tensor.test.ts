import { describe, expect, expectTypeOf, it } from 'vitest';

import type * as declared from '../../exporter/edge/image-declarations.ts';
import { declarations } from '../../exporter/edge/declarations.ts';
import { halfBits, isHalfNaN, setNumber } from '../../exporter/edge/cases/set-number.ts';
import type * as runtime from '../../exporter/edge/runtime/index.ts';
import { checkTensor, codeOf, copyData, dtypeOf, FeedError } from '../../exporter/edge/runtime/tensor.ts';
import type { DType, Tensor, ValueInfo } from '../../exporter/edge/runtime/tensor.ts';

const images: ValueInfo = { name: 'x', dtype: 'float32', shape: ['N', 2, -1] };
const tensor = (
  shape: readonly number[],
  data: Tensor['data'] = new Float32Array(4),
  dtype: DType = 'float32',
): Tensor => {
  return { dtype, shape, data };
};

describe('checkTensor', () => {
  it.each([[[1, 2, 2]], [[2, 2, 1]]])('lets free dimensions be anything: [%s]', (shape) => {
    expect(() => {
      checkTensor('x', images, tensor(shape));
    }).not.toThrow();
  });

  it('lets a batch be empty', () => {
    expect(() => {
      checkTensor('x', images, tensor([0, 2, 5], new Float32Array(0)));
    }).not.toThrow();
  });

  it.each([
    ['another dtype', tensor([1, 2, 2], new Int32Array(4), 'int32'), 'x: expected float32, got int32'],
    ['another array', tensor([1, 2, 2], new Float64Array(4)), 'x: expected Float32Array, got Float64Array'],
    ['another rank', tensor([2, 2]), 'x: expected shape [N, 2, -1], got [2, 2]'],
    ['another fixed dimension', tensor([1, 4, 1]), 'x: expected shape [N, 2, -1], got [1, 4, 1]'],
    ['a negative dimension', tensor([-1, 2, -2]), 'x: expected shape [N, 2, -1], got [-1, 2, -2]'],
    ['a fraction', tensor([1, 2, 2.5]), 'x: expected shape [N, 2, -1], got [1, 2, 2.5]'],
    ['too few elements', tensor([1, 2, 3]), 'x: expected 6 elements, got 4'],
    ['more elements than there are', tensor([2 ** 26, 2, 2 ** 26]), 'x: expected 9007199254740992 elements, got 4'],
  ])('refuses %s', (_, got, message) => {
    expect(() => {
      checkTensor('x', images, got);
    }).toThrow(new FeedError(message));
  });
});

describe('data types', () => {
  const all: readonly DType[] = ['float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'bool', 'float16'];

  it.each(all)('have a code and come back from it: %s', (dtype) => {
    expect(dtypeOf(codeOf(dtype))).toBe(dtype);
  });

  it('leave out strings', () => {
    const string = 8;
    expect(dtypeOf(string)).toBeUndefined();
  });

  it('let halfs come as their bits', () => {
    const halfs: ValueInfo = { name: 'x', dtype: 'float16', shape: [2] };
    for (const data of [new Float16Array(2), new Uint16Array(2)]) {
      expect(() => {
        checkTensor('x', halfs, tensor([2], data, 'float16'));
      }).not.toThrow();
    }
    expect(() => {
      checkTensor('x', halfs, tensor([2], new Int16Array(2), 'float16'));
    }).toThrow('x: expected Float16Array, got Int16Array');
  });

  it('are copied from memory', () => {
    const memory = Uint8Array.of(9, 9, 9, 9, 1, 0, 0, 0, 2, 0, 0, 0);
    expect(copyData('int32', memory, 4, 2)).toEqual(Int32Array.of(1, 2));
  });
});

describe('the bits of a half', () => {
  const bitsOf = (value: number) => new Uint16Array(Float16Array.of(value).buffer)[0];

  it.each([0, -0, 1, -1.5, 255, 65504, 2 ** -14, 2 ** -24, -(2 ** -20), Infinity, -Infinity])(
    'are those that the host gives %d',
    (value) => {
      expect(halfBits(value)).toBe(bitsOf(value));
    },
  );

  it.each([
    ['too large', 1e38, Infinity],
    ['too small', 1e-40, 0],
    ['between two', 1 + 2 ** -11, 1],
  ])('are those of a neighbour where a number is %s', (_, value, neighbour) => {
    expect(halfBits(value)).toBe(bitsOf(neighbour));
  });

  it('tell no number from the infinite', () => {
    expect([halfBits(NaN), 0x7c01, 0xfe00].map(isHalfNaN)).toEqual([true, true, true]);
    expect([Infinity, -Infinity, 0].map(halfBits).map(isHalfNaN)).toEqual([false, false, false]);
  });

  it('go where there is no array of halfs', () => {
    const data = new Uint16Array(1);
    setNumber(data, 'float16', 0, 1.5);
    expect(data[0]).toBe(bitsOf(1.5));
    setNumber(data, 'uint16', 0, 3);
    expect(data[0]).toBe(3);
  });
});

describe('declarations for the Worker', () => {
  it('are one text, which says each thing once and imports nothing', async () => {
    const text = await declarations();
    expect(text).not.toMatch(/^(import|export .* from)\b/m);
    const names = [...text.matchAll(/^export (?:declare )?(?:interface|type|class|const) (\w+)/gm)].map(
      ([, name]) => name,
    );
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
    expect(names).toEqual(
      expect.arrayContaining([
        'sessions',
        'FeedError',
        'Image',
        'Session',
        'TensorData',
        'PicturePreparation',
        'Column',
      ]),
    );
  });

  it('promise what the runtime does', () => {
    expectTypeOf<runtime.Session>().toExtend<declared.Session>();
    type Errors = 'FeedError' | 'InferenceError';
    expectTypeOf<InstanceType<(typeof runtime)[Errors]>>().toExtend<InstanceType<(typeof declared)[Errors]>>();
  });
});
