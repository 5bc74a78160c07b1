/** Whether a network computes with 8-bit numbers, and not only stores its weights so. */
import type { onnx } from '../../training/graph/index.ts';

const operators = /^(QLinear\w+|QGemm|QAttention|\w+Integer|DynamicQuantize\w+|QuantizeLinear)$/;

export const isQuantized = ({ node }: onnx.IGraphProto): boolean =>
  (node ?? []).some(({ opType }) => operators.test(opType ?? ''));
