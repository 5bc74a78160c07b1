/** Lists the cases of convolutions and pooling, in plain and in blocked layout. */
import type { Attributes, GraphBuilder, OpType, Value } from '../../../training/graph/index.ts';
import { type Case, type CaseTable, distinct, literal, opCase, uniform } from './case.ts';

const square: Attributes<'Conv'> = {
  kernel_shape: [3, 3],
  strides: [1, 1],
  pads: [0, 0, 0, 0],
  dilations: [1, 1],
  group: 1,
};
const transpose: Attributes<'ConvTranspose'> = { ...square, output_padding: [0, 0] };

/** Makes a case with an image `[2, I, H, W]` and a kernel `[O, I / group, kH, kW]`. */
function conv(
  about: string,
  [I, O, H, W]: readonly [number, number, number, number],
  changes: Partial<Attributes<'Conv'>> = {},
): Case {
  const attributes = { ...square, ...changes };
  const kernel = uniform(O, I / attributes.group, ...attributes.kernel_shape);
  return opCase(about, [uniform(2, I, H, W), kernel], (g, x, w) => g.Conv(x, w, undefined, attributes));
}

/** Makes a case with an image `[2, I, H, W]` and a kernel `[I, O / group, kH, kW]`. */
function convTranspose(
  about: string,
  [I, O, H, W]: readonly [number, number, number, number],
  changes: Partial<Attributes<'ConvTranspose'>> = {},
): Case {
  const attributes = { ...transpose, ...changes };
  const kernel = uniform(I, O / attributes.group, ...attributes.kernel_shape);
  return opCase(about, [uniform(2, I, H, W), kernel], (g, x, w) => g.ConvTranspose(x, w, undefined, attributes));
}

const maxPool = (about: string, shape: readonly number[], attributes: Attributes<'MaxPool'>): Case =>
  opCase(about, [distinct(...shape)], (g, x) => g.MaxPool(x, attributes));

const averagePool = (about: string, shape: readonly number[], attributes: Attributes<'AveragePool'>): Case =>
  opCase(about, [uniform(...shape)], (g, x) => g.AveragePool(x, attributes));

const intoBlocks = (g: GraphBuilder, x: Value): Value => g['com.microsoft.nchwc.ReorderInput'](x);
const outOfBlocks = (g: GraphBuilder, x: Value): Value =>
  g['com.microsoft.nchwc.ReorderOutput'](x, { channels: Number(x.shape[1]) });

const lowered = 'convolutions are differentiated before their channels go into blocks';

const activations: readonly Partial<Attributes<'com.microsoft.nchwc.Conv'>>[] = [
  {},
  { activation: 'Relu' },
  { activation: 'HardSigmoid', activation_params: [0.5, 0.25] },
];

export const convolution = {
  Conv: [
    conv('a 3 × 3 kernel', [2, 3, 5, 4]),
    conv('a 1 × 1 kernel', [2, 3, 3, 3], { kernel_shape: [1, 1] }),
    conv('a kernel as large as the image', [1, 2, 3, 3]),
    conv('a rectangular kernel', [1, 2, 4, 5], { kernel_shape: [2, 3] }),
    conv('padding that keeps the size', [1, 2, 4, 4], { pads: [1, 1, 1, 1] }),
    conv('uneven padding', [1, 2, 4, 4], { pads: [0, 1, 2, 0] }),
    conv('strides', [1, 2, 5, 5], { strides: [2, 2] }),
    conv('strides that leave far pixels unread', [1, 2, 6, 7], { strides: [2, 3], kernel_shape: [2, 2] }),
    conv('strides and padding that leave pixels unread', [1, 2, 6, 6], { strides: [2, 2], pads: [1, 1, 1, 1] }),
    conv('strides wider than the kernel', [1, 2, 6, 6], { strides: [3, 3], kernel_shape: [2, 2] }),
    conv('dilations', [1, 2, 6, 5], { dilations: [2, 2] }),
    conv('uneven dilations, strides and padding that leave pixels unread', [1, 2, 8, 7], {
      strides: [2, 3],
      dilations: [2, 1],
      pads: [1, 0, 2, 1],
    }),
    opCase('a bias', [uniform(2, 2, 4, 4), uniform(3, 2, 3, 3), uniform(3)], (g, x, w, b) => g.Conv(x, w, b, square)),
    conv('whole blocks of channels', [16, 16, 3, 3], { kernel_shape: [2, 1], strides: [1, 2], pads: [1, 0, 0, 0] }),
    conv('two groups', [4, 2, 4, 4], { group: 2 }),
    conv('one group per channel', [3, 6, 4, 4], { group: 3 }),
    conv('groups, strides, dilations and padding that leave pixels unread', [4, 6, 8, 7], {
      group: 2,
      strides: [2, 3],
      dilations: [2, 1],
      pads: [1, 0, 2, 1],
    }),
  ],
  ConvTranspose: [
    convTranspose('a 3 × 3 kernel', [2, 3, 3, 2]),
    convTranspose('a rectangular kernel', [1, 2, 3, 3], { kernel_shape: [2, 3] }),
    convTranspose('padding', [1, 2, 4, 4], { pads: [1, 1, 1, 1] }),
    convTranspose('uneven padding', [1, 2, 4, 4], { pads: [0, 1, 2, 0] }),
    convTranspose('strides', [2, 1, 3, 3], { strides: [2, 2] }),
    convTranspose('strides and output padding', [1, 2, 3, 3], { strides: [2, 3], output_padding: [1, 2] }),
    convTranspose('dilations', [1, 2, 3, 3], { dilations: [2, 2] }),
    opCase('a bias', [uniform(2, 2, 3, 3), uniform(2, 3, 3, 3), uniform(3)], (g, x, w, b) =>
      g.ConvTranspose(x, w, b, transpose),
    ),
    convTranspose('two groups', [4, 2, 3, 3], { group: 2 }),
    convTranspose('one group per channel and strides', [3, 6, 3, 3], { group: 3, strides: [2, 2] }),
  ],
  AveragePool: [
    averagePool('windows side by side', [2, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }),
    averagePool('windows that overlap', [1, 2, 5, 5], { kernel_shape: [3, 3], strides: [1, 1], pads: [0, 0, 0, 0] }),
    averagePool('windows that leave pixels unread', [1, 3, 5, 7], {
      kernel_shape: [2, 2],
      strides: [2, 3],
      pads: [0, 0, 0, 0],
    }),
    averagePool('the whole image', [2, 2, 3, 4], { kernel_shape: [3, 4], strides: [1, 1], pads: [0, 0, 0, 0] }),
  ],
  MaxPool: [
    maxPool('windows side by side', [2, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }),
    maxPool('windows that overlap', [1, 2, 5, 5], { kernel_shape: [3, 3], strides: [1, 1], pads: [0, 0, 0, 0] }),
    maxPool('overlap and padding', [1, 2, 5, 4], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    maxPool('uneven padding', [1, 1, 4, 4], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1] }),
    maxPool('windows that leave pixels unread', [1, 2, 5, 7], {
      kernel_shape: [2, 2],
      strides: [2, 3],
      pads: [0, 0, 0, 0],
    }),
    opCase(
      'ties',
      [literal('float32', [1, 1, 2, 4], [1, 1, 0, 3, 1, 1, 3, 3])],
      (g, x) => g.MaxPool(x, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }),
      'a tie has no derivative',
    ),
  ],
  // The order of elements in blocks depends on the processor. A round trip through blocks moves nothing, and with
  // filters of equal elements their order does not matter.
  'com.microsoft.nchwc.ReorderInput': [
    opCase('and out again', [uniform(2, 32, 3, 4)], (g, x) => outOfBlocks(g, intoBlocks(g, x)), lowered),
  ],
  'com.microsoft.nchwc.ReorderOutput': [
    opCase('of one pixel', [uniform(1, 16, 1, 1)], (g, x) => outOfBlocks(g, intoBlocks(g, x)), lowered),
  ],
  'com.microsoft.nchwc.Conv': [
    opCase(
      'equal filters and a bias',
      [uniform(2, 16, 5, 4), literal('float32', [32, 16, 3, 3], Array<number>(32 * 16 * 9).fill(0.25)), uniform(32)],
      (g, x, w, b) =>
        outOfBlocks(
          g,
          g['com.microsoft.nchwc.Conv'](intoBlocks(g, x), w, b, undefined, { ...square, pads: [1, 1, 1, 1] }),
        ),
      lowered,
    ),
    ...activations.map((activation) =>
      opCase(
        `one tap for each channel, a bias and a sum, ${activation.activation ?? 'no activation'}`,
        [uniform(1, 32, 3, 5), uniform(32, 1, 1, 1), uniform(32), uniform(1, 32, 3, 5)],
        (g, x, w, b, sum) => {
          const attributes = { ...square, kernel_shape: [1, 1], group: 32, ...activation };
          const y = g['com.microsoft.nchwc.Conv'](intoBlocks(g, x), w, b, intoBlocks(g, sum), attributes);
          return outOfBlocks(g, y);
        },
        lowered,
      ),
    ),
  ],
} satisfies Partial<CaseTable<OpType>>;
