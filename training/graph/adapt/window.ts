/**
 * Adapts convolutions and pools: one spatial axis becomes two, named paddings become numbers, and sizes that round up
 * get padding.
 */
import { at } from '../../arrays/index.ts';
import { type Foreign, ints, range, type Rule } from './foreign.ts';

/** A window along one axis. */
interface Slide {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

const spanOf = ({ kernel, dilation }: Slide): number => (kernel - 1) * dilation + 1;

/** Returns an attribute of this length, by default with the same number everywhere; undefined for another length. */
function listOf(node: Foreign, name: string, length: number, otherwise: number): readonly number[] | undefined {
  const given = node.intsOf(name) ?? [];
  if (given.length === 0) return range(length).map(() => otherwise);
  return given.length === length ? given : undefined;
}

/** Returns the windows of a node by axis; undefined where sizes are free, or `auto_pad` is unknown. */
function slidesOf(node: Foreign, kernels: readonly number[] | undefined): readonly Slide[] | undefined {
  const shape = node.shapeOf(node.x);
  const spatial = shape?.slice(2);
  if (!spatial?.every((dim) => typeof dim === 'number') || kernels?.length !== spatial.length) return undefined;
  const rank = spatial.length;
  const [strides, dilations] = ['strides', 'dilations'].map((name) => listOf(node, name, rank, 1));
  const pads = listOf(node, 'pads', 2 * rank, 0);
  if (!strides || !dilations || !pads) return undefined;
  const slides = spatial.map((size, axis) => ({
    size,
    kernel: at(kernels, axis),
    stride: at(strides, axis),
    dilation: at(dilations, axis),
    before: at(pads, axis),
    after: at(pads, axis + rank),
  }));
  switch (node.textOf('auto_pad', '')) {
    case 'NOTSET':
    case '':
      return slides;
    case 'VALID':
      return slides.map((slide) => ({ ...slide, before: 0, after: 0 }));
    case 'SAME_UPPER':
      return withoutGaps(slides)?.map((slide) => same(slide, Math.floor));
    case 'SAME_LOWER':
      return withoutGaps(slides)?.map((slide) => same(slide, Math.ceil));
    default:
      return undefined;
  }
}

const paddingOf = (slide: Slide): number =>
  (Math.ceil(slide.size / slide.stride) - 1) * slide.stride + spanOf(slide) - slide.size;

/** Refuses strides that pass the image's end: their padding would be negative, which runtimes handle differently. */
const withoutGaps = (slides: readonly Slide[]): readonly Slide[] | undefined =>
  slides.every((slide) => paddingOf(slide) >= 0) ? slides : undefined;

/** Pads for as many outputs as strides fit into the size. `half` decides how much of an odd padding goes in front. */
function same(slide: Slide, half: (padding: number) => number): Slide {
  const padding = paddingOf(slide);
  return { ...slide, before: half(padding / 2), after: padding - half(padding / 2) };
}

/**
 * Adds padding at the end for `ceil_mode`, where the last window may reach beyond the end if it begins within the image
 * or the padding in front.
 */
function roundedUp(slide: Slide): Slide {
  const { size, stride, before, after } = slide;
  const reach = size + before + after - spanOf(slide);
  const outputs = Math.ceil(reach / stride) + 1;
  const kept = (outputs - 1) * stride >= size + before ? outputs - 1 : outputs;
  return { ...slide, after: after + Math.max(0, (kept - 1) * stride - reach) };
}

/** Returns the window's attributes for two dimensions. */
function attributesOf(slides: readonly Slide[], { dilations = true } = {}) {
  const each = (of: (slide: Slide) => number): readonly number[] => inTwoDimensions(slides).map(of);
  return [
    ints(
      'kernel_shape',
      each(({ kernel }) => kernel),
    ),
    ints(
      'strides',
      each(({ stride }) => stride),
    ),
    ints('pads', [...each(({ before }) => before), ...each(({ after }) => after)]),
    ...(dilations
      ? [
          ints(
            'dilations',
            each(({ dilation }) => dilation),
          ),
        ]
      : []),
  ];
}

const oneRow: Slide = { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

/** Returns the windows along rows and columns. With one spatial axis, there is a single row. */
function inTwoDimensions(slides: readonly Slide[]): readonly [rows: Slide, columns: Slide] {
  return slides.length === 1 ? [oneRow, at(slides, 0)] : [at(slides, 0), at(slides, 1)];
}

/** Reshapes `[N, C, L]` to `[N, C, 1, L]`. */
function asImage(node: Foreign, name: string): string {
  const shape = node.shapeOf(name) ?? [];
  return shape.length === 3 ? node.reshaped(name, [...shape.slice(0, 2), 1, ...shape.slice(2)]) : name;
}

/**
 * Ends with `y`.
 *
 * @param y an image; it is reshaped to its row where the node's input has one spatial axis
 */
function endAsInput(node: Foreign, y: string): true {
  const shape = node.shapeOf(y) ?? [];
  const isRow = node.shapeOf(node.x)?.length === 3;
  return isRow ? node.endReshaped(y, [...shape.slice(0, 2), ...shape.slice(3)]) : node.end('Identity', [y]);
}

const hasOneOrTwoAxes = ({ length }: readonly unknown[]): boolean => length === 1 || length === 2;

const convolutionAttributes = ['kernel_shape', 'strides', 'pads', 'dilations', 'auto_pad', 'group'];

function convolution(node: Foreign): boolean {
  const [x = '', W = '', B = ''] = node.inputs;
  const filters = node.shapeOf(W)?.slice(2);
  const kernels = node.intsOf('kernel_shape') ?? filters?.map(Number);
  const slides = slidesOf(node, kernels);
  if (!slides || !hasOneOrTwoAxes(slides) || !node.hasOnly(...convolutionAttributes)) return false;
  const group = node.attribute('group');
  const attributes = [...attributesOf(slides), ...(group ? [group] : [])];
  const inputs = (image: string, weights: string): string[] => [image, weights, ...(B === '' ? [] : [B])];
  if (slides.length === 2) return node.end('Conv', inputs(x, W), attributes);
  const constant = node.look(W)?.constant;
  if (!constant) return false;
  const { shape } = constant;
  const weights = node.store('weights', { ...constant, shape: [...shape.slice(0, 2), 1, ...shape.slice(2)] });
  return endAsInput(node, node.add('Conv', inputs(asImage(node, x), weights), attributes));
}

const poolAttributes = [
  ...['kernel_shape', 'strides', 'pads', 'dilations', 'auto_pad', 'ceil_mode', 'storage_order'],
  'count_include_pad',
];

function poolSlides(node: Foreign): readonly Slide[] | undefined {
  const slides = slidesOf(node, node.intsOf('kernel_shape'));
  const isDense = slides?.every(({ dilation }) => dilation === 1) === true && node.intOf('storage_order', 0) === 0;
  if (!slides || !hasOneOrTwoAxes(slides) || !isDense || !node.hasOnly(...poolAttributes)) return undefined;
  return node.intOf('ceil_mode', 0) === 1 ? slides.map(roundedUp) : slides;
}

function maxPool(node: Foreign): boolean {
  const slides = poolSlides(node);
  if (!slides || node.proto.output?.[1]) return false;
  const attributes = attributesOf(slides, { dilations: false });
  if (slides.length === 2) return node.end('MaxPool', [node.x], attributes);
  return endAsInput(node, node.add('MaxPool', [asImage(node, node.x)], attributes));
}

/**
 * Expresses AveragePool, which may count the padding or not. The padded image's mean counts the padding's zeros; a
 * factor for each position corrects it where they do not count.
 */
function averagePool(node: Foreign): boolean {
  const slides = poolSlides(node);
  if (!slides) return false;
  const hasPads = slides.some(({ before, after }) => before + after > 0);
  const includesPads = node.intOf('count_include_pad', 0) === 1;
  // Runtimes disagree about what counts in a window that ends after the padding.
  if (includesPads && node.intOf('ceil_mode', 0) === 1) return false;
  const window = slides.map((slide) => ({ ...slide, before: 0, after: 0 }));
  const attributes = attributesOf(window, { dilations: false });
  const image = asImage(node, node.x);
  const padded = hasPads ? withZeros(node, image, slides) : image;
  const mean = node.add('AveragePool', [padded], attributes);
  if (!hasPads || includesPads) return endAsInput(node, mean);
  return endAsInput(node, node.add('Mul', [mean, factorsOf(node, slides)]));
}

function withZeros(node: Foreign, image: string, slides: readonly Slide[]): string {
  const all = inTwoDimensions(slides);
  const pads = [0, 0, ...all.map(({ before }) => before), 0, 0, ...all.map(({ after }) => after)];
  return node.add('Pad', [image, node.ints(pads)]);
}

/** Returns the factors `[1, 1, H, W]`: the size of a window divided by its part within the image. */
function factorsOf(node: Foreign, slides: readonly Slide[]): string {
  const [rows, columns] = inTwoDimensions(slides);
  const [alongRows, alongColumns] = [factorsAlong(rows), factorsAlong(columns)];
  const factors = alongRows.flatMap((row) => alongColumns.map((column) => row * column));
  return node.floats(factors, [1, 1, alongRows.length, alongColumns.length]);
}

function factorsAlong({ size, kernel, stride, before, after }: Slide): readonly number[] {
  const outputs = Math.floor((size + before + after - kernel) / stride) + 1;
  return range(Math.max(0, outputs)).map((output) => {
    const first = output * stride - before;
    const inside = Math.min(first + kernel, size) - Math.max(first, 0);
    return kernel / inside;
  });
}

const transposedAttributes = ['kernel_shape', 'strides', 'pads', 'dilations', 'group', 'output_padding', 'auto_pad'];

/** Adapts a two-dimensional ConvTranspose whose padding is given by numbers. */
function convTranspose(node: Foreign): boolean {
  const kernels = node.intsOf('kernel_shape') ?? node.shapeOf(node.input(1))?.slice(2).map(Number);
  const slides = slidesOf(node, kernels);
  const isNamed = ['NOTSET', '', 'VALID'].includes(node.textOf('auto_pad', ''));
  if (slides?.length !== 2 || !isNamed || !node.hasOnly(...transposedAttributes)) return false;
  const others = (node.proto.attribute ?? []).filter(({ name }) => name === 'group' || name === 'output_padding');
  return node.end('ConvTranspose', node.inputs, [...attributesOf(slides), ...others]);
}

export const window: Readonly<Record<string, Rule | undefined>> = {
  Conv: convolution,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
};
