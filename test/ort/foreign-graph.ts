/**
 * Generates files from a seed as other exporters may write them, with ops and attributes that this project's own graphs
 * never have.
 */
import { decodeAnyModel, GraphError, type onnx } from '../../training/graph/index.ts';
import { range, sizeOf } from '../reference/ndarray.ts';
import { type Random, seeded } from '../reference/random.ts';
import { type Attributes, INT64, model, node, port, stored } from './onnx-build.ts';

export interface ForeignFile {
  readonly bytes: Uint8Array;
  /** The shape of the input `x`, whose first dimension is the batch. */
  readonly shape: readonly (string | number)[];
  /** Lists the nodes that the reader has refused during generation. */
  readonly refused: readonly string[];
}

/** Holds the nodes and tensors that a step adds. The last node's first output is its result. */
interface Addition {
  readonly nodes: readonly onnx.INodeProto[];
  readonly tensors?: readonly onnx.ITensorProto[];
}

type Shape = readonly (string | number)[];
type Step = (draw: Draw, x: string, shape: Shape, y: string) => Addition | undefined;

class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  chance(of: number): boolean {
    return this.below(of) === 0;
  }

  numbers(count: number, min = -1, max = 1): readonly number[] {
    return range(count).map(() => min + (max - min) * this.#random());
  }
}

/** Makes a step that adds one node. */
const one =
  (
    make: (draw: Draw, shape: Shape) => readonly [string, Attributes?, (readonly onnx.ITensorProto[])?] | undefined,
  ): Step =>
  (draw, x, shape, y) => {
    const made = make(draw, shape);
    if (!made) return undefined;
    const [op, attributes = {}, tensors = []] = made;
    const named = tensors.map((tensor, i) => ({ ...tensor, name: tensor.name === '' ? '' : `${y}_${i}` }));
    return {
      nodes: [node(op, [x, ...named.map(({ name }) => name)], [y], attributes)],
      tensors: named.filter(({ name }) => name !== ''),
    };
  };

const ints = (list: readonly number[]): onnx.ITensorProto => stored('ints', list, [list.length], INT64);
const floats = (list: readonly number[], dims: readonly number[] = [list.length]) => stored('floats', list, dims);
/** Stands for an optional input that is left out. */
const absent = (): onnx.ITensorProto => ({ name: '' });

const rank = (shape: Shape): number => shape.length;
const sizes = (shape: Shape): readonly number[] => shape.slice(1).map(Number);
/** Picks an axis other than the batch, counted from either end. */
const axisOf = (draw: Draw, shape: Shape): number => {
  const axis = 1 + draw.below(Math.max(1, rank(shape) - 1));
  return draw.chance(2) ? axis : axis - rank(shape);
};
const someAxes = (draw: Draw, shape: Shape): readonly number[] =>
  range(rank(shape))
    .slice(1)
    .filter(() => draw.chance(2))
    .map((axis) => (draw.chance(2) ? axis : axis - rank(shape)));

const elementwise: readonly Step[] = [
  ...[
    'Abs',
    'Relu',
    'Selu',
    'Mish',
    'Softsign',
    'HardSwish',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Erf',
    'Neg',
    'Dropout',
  ].map((op) => one(() => [op])),
  ...['Elu', 'Celu', 'ThresholdedRelu', 'LeakyRelu'].map((op) => one((draw) => [op, { alpha: draw.pick([0.3, 1.5]) }])),
  one((draw) => ['HardSigmoid', draw.chance(2) ? {} : { alpha: 0.3, beta: 0.4 }]),
  one((draw) => ['Gelu', draw.chance(2) ? {} : { approximate: draw.pick(['tanh', 'none']) }]),
  one((draw) => ['Clip', {}, draw.pick([[], [floats([-0.5], [])], [absent(), floats([0.5], [])]])]),
  one((draw) => ['Pow', {}, [floats([draw.pick([1, 2, 3])], draw.pick([[], [1]]))]]),
  one((draw, shape) => ['PRelu', {}, [channels(draw, shape)]]),
  one((draw, shape) => [draw.pick(['Add', 'Sub', 'Mul', 'Min', 'Max', 'Sum', 'Mean']), {}, [partner(draw, shape)]]),
  one((draw, shape) => [draw.pick(['Min', 'Max', 'Sum', 'Mean']), {}, [partner(draw, shape), partner(draw, shape)]]),
  (draw, x, shape, y) => {
    const compare = draw.pick(['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);
    const w = { ...partner(draw, shape), name: `${y}_w` };
    const condition = node(compare, [x, `${y}_w`], [`${y}_c`]);
    const not = node(draw.pick(['Not', 'Identity']), [`${y}_c`], [`${y}_n`]);
    return { nodes: [condition, not, node('Where', [`${y}_n`, x, `${y}_w`], [y])], tensors: [w] };
  },
];

function partner(draw: Draw, shape: Shape): onnx.ITensorProto {
  const own = sizes(shape).map((size) => (draw.chance(2) ? size : 1));
  const dims = draw.pick([[], own, [1, ...own], own.slice(-1)]);
  return floats(draw.numbers(sizeOf(dims)), dims);
}

/** Makes a tensor with a number for each channel, in a shape that broadcasts. */
function channels(draw: Draw, shape: Shape): onnx.ITensorProto {
  const [C = 1, ...spatial] = sizes(shape);
  const dims = [C, ...spatial.map(() => 1)];
  return floats(draw.numbers(C), dims);
}

const reductions = ['Mean', 'Max', 'Min', 'Sum', 'SumSquare', 'L1', 'L2'].map((name) => `Reduce${name}`);

const folding: readonly Step[] = [
  one((draw, shape) => {
    const axes = someAxes(draw, shape);
    const keepdims = draw.below(2);
    if (axes.length === 0 && !draw.chance(4)) return undefined;
    const noop = axes.length === 0 ? draw.pick([{ noop_with_empty_axes: 1 }, {}]) : {};
    return [draw.pick(reductions), { keepdims, ...noop }, axes.length === 0 ? [] : [ints(axes)]];
  }),
  one((draw, shape) => [draw.pick(['Softmax', 'LogSoftmax']), rank(shape) > 1 ? { axis: axisOf(draw, shape) } : {}]),
  one((_draw, shape) => (rank(shape) > 2 ? ['GlobalAveragePool'] : undefined)),
  one((_draw, shape) => (rank(shape) > 2 ? ['GlobalMaxPool'] : undefined)),
  one((draw, shape) => {
    const axis = axisOf(draw, shape);
    const dims = sizes(shape).slice((axis < 0 ? axis + rank(shape) : axis) - 1);
    const parameters = range(1 + draw.below(2)).map(() => floats(draw.numbers(sizeOf(dims)), dims));
    return rank(shape) > 1 ? ['LayerNormalization', { axis, epsilon: 0.1 }, parameters] : undefined;
  }),
  one((draw, shape) => {
    const [C = 1, ...spatial] = sizes(shape);
    const parameters = [floats(draw.numbers(C)), floats(draw.numbers(C))];
    return spatial.length > 0 ? ['InstanceNormalization', { epsilon: 0.1 }, parameters] : undefined;
  }),
  one((draw, shape) => {
    const [C = 1, ...spatial] = sizes(shape);
    const groups = draw.pick([1, 2, C].filter((count) => C % count === 0));
    const parameters = [floats(draw.numbers(C)), floats(draw.numbers(C))];
    return spatial.length > 0 ? ['GroupNormalization', { num_groups: groups, epsilon: 0.1 }, parameters] : undefined;
  }),
  one((draw, shape) => {
    const [C = 1] = sizes(shape);
    if (rank(shape) < 2) return undefined;
    const parameters = [draw.numbers(C), draw.numbers(C), draw.numbers(C), draw.numbers(C, 0.5, 2)];
    return ['BatchNormalization', draw.pick([{}, { epsilon: 0.01 }]), parameters.map((list) => floats(list))];
  }),
];

const movement: readonly Step[] = [
  one((_draw, shape) => {
    const axes = range(rank(shape)).filter((axis) => shape[axis] === 1);
    return axes.length > 0 && !axes.includes(0) ? ['Squeeze', {}, [ints(axes)]] : undefined;
  }),
  one((draw, shape) => (rank(shape) < 5 ? ['Unsqueeze', {}, [ints([draw.pick([1, -1, rank(shape)])])]] : undefined)),
  one((draw) => ['Flatten', draw.pick([{}, { axis: 1 }, { axis: -1 }, { axis: 2 }])]),
  one((draw, shape) => {
    const own = sizes(shape);
    const wanted = draw.pick([
      [0, -1],
      [-1, sizeOf(own)],
      [0, 1, -1],
      [0, ...own.toReversed()],
      [-1, ...own],
    ]);
    return ['Reshape', {}, [ints(wanted)]];
  }),
  one((draw, shape) => [
    'Transpose',
    {
      perm: [
        0,
        ...range(rank(shape))
          .slice(1)
          .sort(() => draw.below(3) - 1),
      ],
    },
  ]),
  one(() => ['Transpose']),
  one((draw, shape) => {
    const axis = axisOf(draw, shape);
    const size = Number(shape.at(axis));
    if (!(size > 1)) return undefined;
    const step = draw.pick([-2, -1, 1, 2]);
    const [first, last] = [draw.pick([0, 1, -size, -99]), draw.pick([size, -1, 99])];
    const [start, end] = step > 0 ? [first, last] : [last, first];
    return ['Slice', {}, [ints([start]), ints([end]), ints([axis]), ...(step === 1 ? [] : [ints([step])])]];
  }),
  one((draw, shape) => {
    const mode = draw.pick(['constant', 'constant', 'edge', 'reflect', 'wrap']);
    const pads = range(2 * rank(shape)).map((i) =>
      i % rank(shape) === 0 ? 0 : draw.below(3) - (draw.chance(9) ? 1 : 0),
    );
    const value = mode === 'constant' ? draw.pick([[], [floats([0.5], [])], [absent()]]) : [];
    return ['Pad', { mode: mode }, [ints(pads), ...value]];
  }),
  one((draw, shape) => ['Tile', {}, [ints(range(rank(shape)).map((axis) => (axis === 0 ? 1 : 1 + draw.below(2))))]]),
  one((draw, shape) => {
    const axis = axisOf(draw, shape);
    const size = Number(shape.at(axis));
    if (Number.isNaN(size)) return undefined;
    const indices = range(1 + draw.below(4)).map(() => draw.below(2 * size) - size);
    const scalar = draw.chance(4);
    return ['Gather', { axis }, [stored('i', scalar ? [0] : indices, scalar ? [] : [indices.length], INT64)]];
  }),
  (draw, x, shape, y) => {
    const axis = axisOf(draw, shape);
    const size = Number(shape.at(axis));
    if (!(size > 1)) return undefined;
    const parts = [y, `${y}_other`];
    const given = draw.chance(2) ? [1, size - 1] : undefined;
    const split = { ...(given ? {} : { num_outputs: 2 }), axis };
    const inputs = [x, ...(given ? [`${y}_split`] : [])];
    return {
      nodes: [node('Split', inputs, draw.pick([parts, parts.toReversed()]), split)],
      tensors: given ? [stored(`${y}_split`, given, [2], INT64)] : [],
    };
  },
  (draw, x, shape, y) => ({ nodes: [node('Concat', [x, x], [y], { axis: axisOf(draw, shape) })] }),
  one((draw, shape) => {
    const resized = range(rank(shape)).map((axis) => (axis < 2 ? 1 : draw.pick([2, 1, 3, 1.5, 0.5])));
    const mode = draw.pick(['nearest', 'linear']);
    const transformation = draw.pick(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel']);
    const nearest = draw.pick(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']);
    const attributes = {
      mode: mode,
      coordinate_transformation_mode: transformation,
      ...(mode === 'nearest' ? { nearest_mode: nearest } : {}),
    };
    return rank(shape) === 4 ? ['Resize', attributes, [absent(), floats(resized)]] : undefined;
  }),
  one((draw) => ['DepthToSpace', { blocksize: 2, ...draw.pick([{}, { mode: 'CRD' }, { mode: 'DCR' }]) }]),
  one(() => ['SpaceToDepth', { blocksize: 2 }]),
];

const autoPad = (draw: Draw): Attributes =>
  draw.pick<Attributes>([{}, {}, ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((way) => ({ auto_pad: way }))]);

const windows: readonly Step[] = [
  one((draw, shape) => {
    const [C = 1, ...spatial] = sizes(shape);
    const group = draw.pick([1, 1, 2, C].filter((count) => C % count === 0));
    const kernel = spatial.map(() => 1 + draw.below(3));
    const outputs = group * (1 + draw.below(4));
    const dims = [outputs, C / group, ...kernel];
    const named = autoPad(draw);
    const attributes = {
      ...(group === 1 ? {} : { group }),
      ...(draw.chance(2) ? { strides: spatial.map(() => 1 + draw.below(2)) } : {}),
      ...(draw.chance(3) && !named['auto_pad'] ? { dilations: spatial.map(() => 2) } : {}),
      ...(draw.chance(2) && !named['auto_pad'] ? { pads: [...spatial, ...spatial].map(() => draw.below(3)) } : {}),
      ...(draw.chance(2) ? { kernel_shape: kernel } : {}),
    };
    const bias = draw.chance(2) ? [floats(draw.numbers(outputs))] : [];
    return ['Conv', { ...attributes, ...named }, [floats(draw.numbers(sizeOf(dims)), dims), ...bias]];
  }),
  one((draw, shape) => {
    const [C = 1, ...spatial] = sizes(shape);
    if (spatial.length !== 2) return undefined;
    const group = draw.pick([1, 1, 2].filter((count) => C % count === 0));
    const kernel = spatial.map(() => 1 + draw.below(3));
    const dims = [C, 1 + draw.below(4), ...kernel];
    const strides = spatial.map(() => 1 + draw.below(3));
    const attributes = {
      ...(group === 1 ? {} : { group }),
      strides,
      ...(draw.chance(2) ? { pads: [...kernel, ...kernel].map((size) => draw.below(size)) } : {}),
      ...(draw.chance(3) ? { dilations: [2, 1] } : {}),
      ...(draw.chance(2) ? { output_padding: strides.map((stride) => draw.below(stride)) } : {}),
    };
    return ['ConvTranspose', attributes, [floats(draw.numbers(sizeOf(dims)), dims)]];
  }),
  one((draw, shape) => {
    const spatial = sizes(shape).slice(1);
    const kernel_shape = spatial.map(() => 1 + draw.below(3));
    const named = autoPad(draw);
    const op = draw.pick(['MaxPool', 'AveragePool']);
    const pads = kernel_shape.map((size) => draw.below(size));
    return [
      op,
      {
        kernel_shape,
        ...(draw.chance(2) ? { strides: spatial.map(() => 1 + draw.below(3)) } : {}),
        ...(draw.chance(2) && !named['auto_pad'] ? { pads: [...pads, ...pads] } : {}),
        ...(draw.chance(3) ? { ceil_mode: 1 } : {}),
        ...(op === 'AveragePool' && draw.chance(2) ? { count_include_pad: 1 } : {}),
        ...named,
      },
    ];
  }),
];

const products: readonly Step[] = [
  one((draw, shape) => {
    const K = sizes(shape).at(-1) ?? 1;
    const dims = draw.pick([[K], [K, 3]]);
    return rank(shape) > 1 ? ['MatMul', {}, [floats(draw.numbers(sizeOf(dims)), dims)]] : undefined;
  }),
  one((draw, shape) => {
    if (rank(shape) !== 2) return undefined;
    const [K = 1] = sizes(shape);
    const transB = draw.below(2);
    const W = transB ? [5, K] : [K, 5];
    const C = draw.pick([[], [5], [1, 5], [1]]);
    const attributes = { transB, ...draw.pick([{}, { alpha: 0.5 }, { beta: 0.25 }]) };
    return ['Gemm', attributes, [floats(draw.numbers(5 * K), W), floats(draw.numbers(sizeOf(C)), C)]];
  }),
];

const maxElements = 2000;

/** @returns a file with a few nodes between `x` and `y`, all of which the reader accepts */
export function foreignFile(seed: number): ForeignFile {
  const draw = new Draw(seeded(seed));
  const batch = draw.chance(5) ? 3 : 'N';
  const shape: Shape = [batch, ...draw.pick([[6], [3, 5], [4, 6, 5], [2, 4, 4], [8, 3, 7]])];
  const refused: string[] = [];
  let graph: onnx.IGraphProto = { node: [], initializer: [], input: [port('x', shape)], output: [port('x')] };
  let [x, now] = ['x', shape];
  const wanted = 1 + draw.below(6);
  // The compiler refuses a graph whose batch is not its first dimension, so nothing behind such a node would be tested.
  const isBatched = (): boolean => now.slice(1).every((dim) => typeof dim === 'number');
  for (let tries = 0; tries < 40 && isBatched() && (graph.node?.length ?? 0) < wanted; tries++) {
    const families = [elementwise, folding, movement, movement, products, ...(rank(now) > 2 ? [windows, windows] : [])];
    const y = `y${tries}`;
    const addition = draw.pick(draw.pick(families))(draw, x, now, y);
    if (!addition) continue;
    const larger = {
      ...graph,
      node: [...(graph.node ?? []), ...addition.nodes],
      initializer: [...(graph.initializer ?? []), ...(addition.tensors ?? [])],
      output: [port(y)],
    };
    try {
      const [value] = decodeAnyModel(model(larger, opset)).graph.outputs;
      if (!value || sizeOf(value.shape.map((dim) => (typeof dim === 'string' ? 1 : dim))) > maxElements) continue;
      [graph, x, now] = [larger, y, value.shape];
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      refused.push(error.message);
    }
  }
  return { bytes: model(graph, opset), shape, refused };
}

const opset = 21;
