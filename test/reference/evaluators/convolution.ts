/** Evaluates convolutions and pooling, in plain and in blocked layout. */
import type { Attributes, OpType } from '../../../training/graph/index.ts';
import {
  add,
  build,
  dim,
  element,
  flatIndex,
  forEachIndex,
  type Index,
  type NdArray,
  read,
  zeros,
} from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

type Window = Attributes<'MaxPool'> & Partial<Pick<Attributes<'Conv'>, 'dilations'>>;

const spanOf = (axis: 0 | 1, { kernel_shape, dilations = [1, 1] }: Window): number =>
  (dim(kernel_shape, axis) - 1) * dim(dilations, axis) + 1;

const paddingOf = (axis: 0 | 1, { pads }: Window): number => dim(pads, axis) + dim(pads, axis + 2);

/** Returns the number of positions of a window that slides over `size` pixels along one axis. */
function slides(size: number, axis: 0 | 1, window: Window): number {
  return Math.floor((size + paddingOf(axis, window) - spanOf(axis, window)) / dim(window.strides, axis)) + 1;
}

/** Returns the pixel under tap `k` of the window at position `p`; it may lie in the padding. */
function pixel(p: number, k: number, axis: 0 | 1, { strides, pads, dilations = [1, 1] }: Window): number {
  return p * dim(strides, axis) + k * dim(dilations, axis) - dim(pads, axis);
}

const inside = (y: number, x: number, height: number, width: number): boolean =>
  y >= 0 && x >= 0 && y < height && x < width;

/** Calls back for every tap (of the kernel's rows and columns) that lies on a pixel. */
function forEachTap(
  [row, column]: readonly [number, number],
  image: readonly number[],
  window: Window,
  visit: (tap: Index, y: number, x: number) => void,
): void {
  forEachIndex(window.kernel_shape, (tap) => {
    const y = pixel(row, dim(tap, 0), 0, window);
    const x = pixel(column, dim(tap, 1), 1, window);
    if (inside(y, x, dim(image, 2), dim(image, 3))) visit(tap, y, x);
  });
}

function conv(X: NdArray, W: NdArray, B: NdArray | undefined, attributes: Attributes<'Conv'>): NdArray {
  const [O, perGroup] = [dim(W.shape, 0), dim(W.shape, 1)];
  const shape = [dim(X.shape, 0), O, slides(dim(X.shape, 2), 0, attributes), slides(dim(X.shape, 3), 1, attributes)];
  // The distances, in elements, from one channel to the next.
  const [taps, pixels] = [dim(W.shape, 2) * dim(W.shape, 3), dim(X.shape, 2) * dim(X.shape, 3)];
  return build(shape, ([n = 0, o = 0, row = 0, column = 0]) => {
    const group = Math.floor(o / (O / attributes.group));
    let sum = B ? read(B, [o]) : 0;
    forEachTap([row, column], X.shape, attributes, ([ky = 0, kx = 0], y, x) => {
      let [tap, at] = [flatIndex(W.shape, [o, 0, ky, kx]), flatIndex(X.shape, [n, group * perGroup, y, x])];
      for (let i = 0; i < perGroup; i += 1, tap += taps, at += pixels)
        sum += element(W.data, tap) * element(X.data, at);
    });
    return sum;
  });
}

/** Adds, for every pixel of `X`, the kernel scaled by the pixel to the output. */
function convTranspose(X: NdArray, W: NdArray, B: NdArray | undefined, attributes: Attributes<'ConvTranspose'>) {
  const { strides, output_padding, group } = attributes;
  const [I, perGroup] = [dim(W.shape, 0), dim(W.shape, 1)];
  const unslid = (axis: 0 | 1): number =>
    (dim(X.shape, axis + 2) - 1) * dim(strides, axis) +
    spanOf(axis, attributes) -
    paddingOf(axis, attributes) +
    dim(output_padding, axis);
  const shape = [dim(X.shape, 0), perGroup * group, unslid(0), unslid(1)];
  const Y = B ? build(shape, ([, o = 0]) => read(B, [o])) : zeros(shape);
  forEachIndex(X.shape, ([n = 0, i = 0, row = 0, column = 0], flat) => {
    const firstChannel = Math.floor(i / (I / group)) * perGroup;
    forEachTap([row, column], shape, attributes, ([ky = 0, kx = 0], y, x) => {
      for (let o = 0; o < perGroup; o += 1)
        add(Y, [n, firstChannel + o, y, x], (X.data[flat] ?? NaN) * read(W, [i, o, ky, kx]));
    });
  });
  return Y;
}

/** The padding counts as −∞; of equal elements the first wins. */
function maxPool(X: NdArray, attributes: Attributes<'MaxPool'>): readonly [NdArray, NdArray] {
  const [N, C, H, W] = [dim(X.shape, 0), dim(X.shape, 1), dim(X.shape, 2), dim(X.shape, 3)];
  const shape = [N, C, slides(H, 0, attributes), slides(W, 1, attributes)];
  const Indices = build(shape, ([n = 0, c = 0, row = 0, column = 0]) => {
    let best = { value: -Infinity, flat: -1 };
    forEachTap([row, column], X.shape, attributes, (_, y, x) => {
      const value = read(X, [n, c, y, x]);
      if (value > best.value) best = { value, flat: flatIndex(X.shape, [n, c, y, x]) };
    });
    return best.flat;
  });
  return [{ shape, data: Indices.data.map((flat) => X.data[flat] ?? NaN) }, Indices];
}

function averagePool(X: NdArray, attributes: Attributes<'AveragePool'>): NdArray {
  const [N, C, H, W] = [dim(X.shape, 0), dim(X.shape, 1), dim(X.shape, 2), dim(X.shape, 3)];
  return build([N, C, slides(H, 0, attributes), slides(W, 1, attributes)], ([n = 0, c = 0, row = 0, column = 0]) => {
    const window: number[] = [];
    forEachTap([row, column], X.shape, attributes, (_, y, x) => window.push(read(X, [n, c, y, x])));
    return window.reduce((sum, x) => sum + x, 0) / window.length;
  });
}

/** The size of the interpreter's blocks of channels; ONNX Runtime's is 8 or 16. */
export const channelBlock = 2;

/** Reads the elements of `X` in the order that they have when axis `channel` is cut into blocks. */
function blocked(X: NdArray, direction: 'into' | 'out of'): NdArray {
  const [N, C, H, W] = [dim(X.shape, 0), dim(X.shape, 1), dim(X.shape, 2), dim(X.shape, 3)];
  const data = new Float64Array(X.data.length);
  forEachIndex([N, C / channelBlock, H, W, channelBlock], ([n = 0, block = 0, y = 0, x = 0, c = 0], inBlocks) => {
    const plain = flatIndex(X.shape, [n, block * channelBlock + c, y, x]);
    if (direction === 'into') data[inBlocks] = X.data[plain] ?? NaN;
    else data[plain] = X.data[inBlocks] ?? NaN;
  });
  return { shape: X.shape, data };
}

/** Restores filters from `[O / b, I / b, kH, kW, b of I, b of O]`. */
function plainFilters(W: NdArray): NdArray {
  const [O, I, kH, kW] = [dim(W.shape, 0), dim(W.shape, 1), dim(W.shape, 2), dim(W.shape, 3)];
  const data = new Float64Array(W.data.length);
  const order = [O / channelBlock, I / channelBlock, kH, kW, channelBlock, channelBlock];
  forEachIndex(order, ([oBlock = 0, iBlock = 0, y = 0, x = 0, i = 0, o = 0], inBlocks) => {
    const plain = [oBlock * channelBlock + o, iBlock * channelBlock + i, y, x];
    data[flatIndex(W.shape, plain)] = W.data[inBlocks] ?? NaN;
  });
  return { shape: W.shape, data };
}

function activate(
  x: number,
  { activation, activation_params: [alpha = NaN, beta = NaN] = [] }: NchwcAttributes,
): number {
  if (activation === 'Relu') return Math.max(x, 0);
  return activation === 'HardSigmoid' ? Math.max(0, Math.min(1, alpha * x + beta)) : x;
}

type NchwcAttributes = Attributes<'com.microsoft.nchwc.Conv'>;

export const convolution = {
  Conv: ([X, W, B], attributes) => [conv(X, W, B, attributes)],
  ConvTranspose: ([X, W, B], attributes) => [convTranspose(X, W, B, attributes)],
  AveragePool: ([X], attributes) => [averagePool(X, attributes)],
  MaxPool: ([X], attributes) => maxPool(X, attributes),
  'com.microsoft.nchwc.ReorderInput': ([X]) => [blocked(X, 'into')],
  'com.microsoft.nchwc.ReorderOutput': ([X]) => [blocked(X, 'out of')],
  'com.microsoft.nchwc.Conv': ([X, W, B, Sum], attributes) => {
    // Filters with one tap for each channel keep their order.
    const filters = attributes.group === 1 ? plainFilters(W) : W;
    const { shape, data } = blocked(conv(blocked(X, 'out of'), filters, B, attributes), 'into');
    return [{ shape, data: data.map((y, i) => activate(y + (Sum?.data[i] ?? 0), attributes)) }];
  },
} satisfies Partial<EvaluatorTable<OpType>>;
