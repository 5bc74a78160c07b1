import { describe, expect, it } from 'vitest';

import { withoutSource } from '../../exporter/edge/runtime/ort.ts';

describe('a message of ONNX Runtime', () => {
  const running = "Non-zero status code returned while running Add node. Name:'' Status Message: ";
  it.each([
    [
      `${running}element_wise_ops.cc:692 void onnxruntime::BroadcastIterator::Append(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 2 by 3`,
      `${running}Attempting to broadcast an axis by a dimension other than 1. 2 by 3`,
    ],
    ['/src/onnxruntime/core/a.h:12 x >= 0 was false. ', ''],
    ['/src/b.cc:7 Status onnxruntime::f(const int *) const Wrong rank', 'Wrong rank'],
    ['std::bad_alloc', 'std::bad_alloc'],
    ['Invalid rank for input: x Got: 1 Expected: 2', 'Invalid rank for input: x Got: 1 Expected: 2'],
  ])('has nothing of its source: %s', (message, expected) => {
    expect(withoutSource(message)).toBe(expected);
  });
});
