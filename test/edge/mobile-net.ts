/**
 * Generates a convolutional network of a common size: MobileNetV2's blocks, depthwise and pointwise convolutions, each
 * with Batch Norm, with random weights. Deterministic. https://arxiv.org/abs/1801.04381, table 2
 */
import { FLOAT, GraphFixture } from './fixtures.ts';

/** Each stage's expansion, channels, repetitions, and stride of the first block. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export interface MobileNetOptions {
  readonly seed?: number;
  /** The rows and columns of the pictures. */
  readonly size?: number;
  /** Multiplies the number of channels; 1 gives 3.5 million weights, which take 14 MB. */
  readonly width?: number;
  readonly classes?: number;
}

/** `pixels` [N, 3, size, size] -> `logits` [N, classes]. */
export function mobileNet({ seed = 12, size = 96, width = 1, classes = 1000 }: MobileNetOptions = {}): Uint8Array {
  const g = new GraphFixture(seed);
  const scaled = (channels: number) => Math.max(8, Math.round((channels * width) / 8) * 8);
  const unit = (name: string, x: string, from: number, to: number, kernel: number, stride: number, group = 1) => {
    const w = g.random(
      `${name}.weight`,
      [to, from / group, kernel, kernel],
      Math.sqrt(6 / ((kernel ** 2 * from) / group)),
    );
    const pads = Array<number>(4).fill((kernel - 1) / 2);
    const attributes = { kernel_shape: [kernel, kernel], pads, strides: [stride, stride], group };
    return g.batchNormalization(`${name}.bn`, g.node('Conv', [x, w], `${name}.z`, attributes), to, false);
  };
  const relu = (x: string) => g.node('Clip', [x, 'zero', 'six'], `${x}.relu6`);
  g.scalar('zero', 0);
  g.scalar('six', 6);
  let [channels, y] = [scaled(32), relu(unit('stem', 'pixels', 3, scaled(32), 3, 2))];
  for (const [stage, [expansion, out, repetitions, stride]] of stages.entries()) {
    for (let i = 0; i < repetitions; i++) {
      const [name, x, wide, to] = [`block${stage}.${i}`, y, channels * expansion, scaled(out)];
      if (expansion > 1) y = relu(unit(`${name}.expand`, y, channels, wide, 1, 1));
      y = relu(unit(`${name}.depthwise`, y, wide, wide, 3, i === 0 ? stride : 1, wide));
      y = unit(`${name}.project`, y, wide, to, 1, 1);
      if (i > 0) y = g.node('Add', [x, y], `${name}.sum`);
      channels = to;
    }
  }
  const features = Math.max(scaled(1280), 1280);
  const pooled = g.node('GlobalAveragePool', [relu(unit('head', y, channels, features, 1, 1))], 'pooled');
  const flat = g.node('Flatten', [pooled], 'flat', { axis: 1 });
  const weight = g.random('classifier.weight', [classes, features], Math.sqrt(3 / features));
  g.node('Gemm', [flat, weight, g.random('classifier.bias', [classes], 0.1)], 'logits', { transB: 1 });
  return g.encode({ pixels: [FLOAT, ['N', 3, size, size]] }, { logits: ['N', classes] });
}
