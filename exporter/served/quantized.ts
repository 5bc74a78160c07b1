/** Tells whether a network computes with 8-bit numbers, rather than only storing its weights as such. */
import type { onnx } from '../../training/graph/index.ts';

const operators = /^(QLinear\w+|QGemm|QAttention|\w+Integer|DynamicQuantize\w+|QuantizeLinear)$/;

export const isQuantized = ({ node }: onnx.IGraphProto): boolean =>
  (node ?? []).some(({ opType }) => operators.test(opType ?? ''));
