import { describe, expect, expectTypeOf, it } from 'vitest';

import type * as declared from '../../exporter/edge/edge-declarations.d.ts';
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

  it('are copied from memory', () => {
    const memory = Uint8Array.of(9, 9, 9, 9, 1, 0, 0, 0, 2, 0, 0, 0);
    expect(copyData('int32', memory, 4, 2)).toEqual(Int32Array.of(1, 2));
  });
});

describe('declarations for the Worker', () => {
  it('promise what the runtime does', () => {
    expectTypeOf<runtime.Session>().toExtend<declared.Session>();
    type Functions = 'bytesOf' | 'createData' | 'elementBytes' | 'elementCount';
    expectTypeOf<Pick<typeof runtime, Functions>>().toExtend<Pick<typeof declared, Functions>>();
    expectTypeOf<Tensor>().toExtend<declared.Tensor>();
    expectTypeOf<DType>().toEqualTypeOf<declared.DType>();
  });
});
