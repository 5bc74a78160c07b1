/** Makes unusual graphs of a few ops from a seed. Their values stay near 1, so that an error shows. */
import {
  checkGraph,
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type Tensor,
  type Value,
} from '../../../training/graph/index.ts';
import { range, sizeOf } from '../../reference/ndarray.ts';
import { type Random, seeded } from '../../reference/random.ts';

interface State {
  readonly g: GraphBuilder;
  readonly random: Random;
  /** The values that can be read, the newest last. */
  readonly values: Value[];
}

type Step = (state: State, x: Value) => Value | undefined;

const below = ({ random }: State, count: number): number => Math.floor(random() * count);
const pick = <T>(state: State, list: readonly T[]): T => list[below(state, list.length)] as T;
const sizes = ({ shape }: Value): readonly number[] => shape.slice(1).map(Number);

/** Stores numbers between −bound and bound. */
function stored({ g, random }: State, shape: readonly number[], bound = 1, min = -bound): Value {
  const data = Float32Array.from(range(sizeOf(shape)), () => min + (bound - min) * random());
  const tensor: Tensor = { dtype: 'float32', shape, data };
  return g.initializer('w', tensor);
}

/** Makes a value whose shape broadcasts to another's. */
function partner(state: State, x: Value): Value {
  const own = sizes(x);
  const same = state.values.filter((value) => value !== x && value.shape.join() === x.shape.join());
  if (same.length > 0 && below(state, 2) === 0) return pick(state, same);
  const kept = own.map((size) => (below(state, 2) === 0 ? size : 1));
  return stored(state, pick(state, [[], kept, own, [1, ...kept], own.slice(-1)]));
}

const unary: readonly Step[] = [
  ({ g }, x) => g.Relu(x),
  ({ g }, x) => g.LeakyRelu(x, { alpha: 0.1 }),
  ({ g }, x) => g.Sigmoid(x),
  ({ g }, x) => g.Tanh(x),
  ({ g }, x) => g.Erf(g.Clip(x, g.scalar(-3), g.scalar(3))),
  ({ g }, x) => g.HardSigmoid(x, { alpha: 0.2, beta: 0.5 }),
  ({ g }, x) => g.Neg(x),
  ({ g }, x) => g.Tanh(g.Softplus(x)),
  ({ g }, x) => g.Sqrt(g.Add(g.Mul(x, x), g.scalar(0.1))),
  ({ g }, x) => g.Log(g.Add(g.Sigmoid(x), g.scalar(1))),
  ({ g }, x) => g.Exp(g.Neg(g.Mul(x, x))),
  ({ g }, x) => g.Clip(x, g.scalar(-0.7), g.scalar(0.4)),
  ({ g }, x) => g.Identity(x),
  // Gelu reads one value in three places.
  ({ g }, x) => g.Mul(g.Mul(x, g.scalar(0.5)), g.Add(g.Erf(g.Clip(x, g.scalar(-3), g.scalar(3))), g.scalar(1))),
  ({ g }, x) => g.Cast(g.IsNaN(x), { to: 'float32' }),
];

const binary: readonly Step[] = [
  (state, x) => state.g.Add(x, partner(state, x)),
  (state, x) => state.g.Sub(partner(state, x), x),
  (state, x) => state.g.Mul(x, partner(state, x)),
  (state, x) => state.g.Max(x, partner(state, x)),
  (state, x) => state.g.Div(x, stored(state, sizes(x), 2, 1)),
  // The result is the larger of both, which is the same on both sides of the condition.
  (state, x) => {
    const y = partner(state, x);
    return state.g.Where(state.g.Greater(x, y), x, y);
  },
];

const movement: readonly Step[] = [
  ({ g }, x) => g.Flatten(x, { axis: 1 }),
  (state, x) => {
    const own = sizes(x);
    const total = sizeOf(own);
    const first = pick(
      state,
      [1, 2, 3, 4, 6].filter((size) => total % size === 0),
    );
    return state.g.Reshape(
      x,
      state.g.ints(
        pick(state, [
          [0, first, total / first],
          [0, -1, first],
          [0, total],
        ]),
      ),
    );
  },
  (state, x) => {
    const axes = range(sizes(x).length).map((axis) => axis + 1);
    const perm = [
      0,
      ...axes
        .map((axis) => ({ axis, order: state.random() }))
        .sort((a, b) => a.order - b.order)
        .map(({ axis }) => axis),
    ];
    return state.g.Transpose(x, { perm });
  },
  (state, x) => {
    const axis = 1 + below(state, Math.max(1, sizes(x).length));
    const others = state.values.filter(
      (value) =>
        value.shape.length === x.shape.length && value.shape.every((dim, i) => i === axis || dim === x.shape[i]),
    );
    return axis < x.shape.length ? state.g.Concat(x, pick(state, others), x, { axis }) : undefined;
  },
  (state, x) => {
    const axis = 1 + below(state, sizes(x).length);
    const size = Number(x.shape[axis]);
    if (!(size > 1)) return undefined;
    const [start, step] = [below(state, size - 1), 1 + below(state, 2)];
    const ints = (value: number) => state.g.ints([value]);
    return state.g.Slice(x, ints(start), ints(size), ints(axis), ints(step));
  },
  (state, x) => {
    const axis = 1 + below(state, sizes(x).length);
    const size = Number(x.shape[axis]);
    if (Number.isNaN(size)) return undefined;
    const indices = range(1 + below(state, 6)).map(() => below(state, 2 * size) - size);
    return state.g.Gather(x, state.g.ints(indices), { axis });
  },
  (state, x) => {
    const pads = range(2 * x.shape.length).map((i) => (i % x.shape.length === 0 ? 0 : below(state, 3)));
    return state.g.Pad(x, state.g.ints(pads), { mode: 'constant' });
  },
];

const folding: readonly Step[] = [
  (state, x) => state.g.Softmax(x, { axis: 1 + below(state, sizes(x).length) }),
  ({ g, ...state }, x) => {
    const axis = 1 + below({ g, ...state }, sizes(x).length);
    const shape = x.shape.slice(axis).map(Number);
    return g.LayerNormalization(x, stored({ g, ...state }, shape), stored({ g, ...state }, shape), {
      axis,
      epsilon: 0.1,
    })[0];
  },
  ...(['ReduceMean', 'ReduceMax', 'ReduceSum'] as const).map((op): Step => (state, x) => {
    const axes = range(sizes(x).length)
      .map((axis) => axis + 1)
      .filter(() => below(state, 2) === 0);
    if (axes.length === 0 || axes.length === sizes(x).length) return undefined;
    const folded = state.g[op](x, state.g.ints(axes), { keepdims: pick(state, [0, 1]) });
    return op === 'ReduceSum' ? state.g.Tanh(state.g.Mul(folded, state.g.scalar(0.1))) : folded;
  }),
];

const products: readonly Step[] = [
  (state, x) => {
    const rows = sizes(x);
    if (rows.length !== 1) return undefined;
    const [K = 1, M] = [rows[0], 1 + below(state, 40)];
    const transB = pick(state, [0, 1] as const);
    const W = stored(state, transB ? [M, K] : [K, M], Math.sqrt(3 / K));
    return state.g.Gemm(x, W, pick(state, [undefined, stored(state, [M])]), { transB });
  },
  (state, x) => {
    const own = sizes(x);
    const K = own.at(-1) ?? 1;
    if (own.length !== 2) return undefined;
    return state.g.MatMul(x, stored(state, [K, 1 + below(state, 9)], Math.sqrt(3 / K)));
  },
  ({ g }, x) => (sizes(x).length === 2 ? g.Tanh(g.MatMul(x, g.Transpose(x, { perm: [0, 2, 1] }))) : undefined),
  (state, x) => {
    const C = Number(x.shape[1]);
    const parameter = (min: number, bound: number) => stored(state, [C], bound, min);
    const [scale, B, mean, variance] = [parameter(0.5, 1.5), parameter(-1, 1), parameter(-1, 1), parameter(0.5, 2)];
    if (x.shape.length < 2) return undefined;
    return state.g.BatchNormalization(x, scale, B, mean, variance, {
      epsilon: 1e-3,
      momentum: 0.9,
      training_mode: 0,
    })[0];
  },
];

/** Steps that need an image. */
const windows: readonly Step[] = [
  (state, x) => {
    const [C = 1, H = 1, W = 1] = sizes(x);
    const group = pick(
      state,
      [1, 2, C].filter((groups) => C % groups === 0),
    );
    const O = group * (1 + below(state, group > 2 ? 2 : 9));
    const [kernel, dilation] = [1 + below(state, 3), 1 + below(state, 2)];
    const pads = range(4).map(() => below(state, 3));
    const span = dilation * (kernel - 1) + 1;
    if (Math.min(H + (pads[0] ?? 0) + (pads[2] ?? 0), W + (pads[1] ?? 0) + (pads[3] ?? 0)) < span) return undefined;
    const filters = stored(state, [O, C / group, kernel, kernel], Math.sqrt((3 * group) / (C * kernel * kernel)));
    const stride = 1 + below(state, 2);
    return state.g.Conv(x, filters, pick(state, [undefined, stored(state, [O])]), {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads,
      dilations: [dilation, dilation],
      group,
    });
  },
  (state, x) => {
    const [, H = 1, W = 1] = sizes(x);
    const [kernel, stride] = [1 + below(state, 3), 1 + below(state, 2)];
    if (Math.min(H, W) < kernel) return undefined;
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride] };
    const pad = below(state, kernel);
    return below(state, 2) === 0
      ? state.g.AveragePool(x, { ...window, pads: [0, 0, 0, 0] })
      : state.g.MaxPool(x, { ...window, pads: [pad, 0, 0, pad] })[0];
  },
  ({ g }, x) => g.ReduceMean(x, g.ints([2, 3]), { keepdims: 0 }),
  // Squeeze and excitation: a factor for each channel, computed from the image itself.
  ({ g }, x) => g.Mul(x, g.Sigmoid(g.ReduceMean(x, g.ints([2, 3]), { keepdims: 1 }))),
];

/** Larger values would only take more time. */
const maxElements = 3000;

/** @returns a graph of `ops` steps from one or two inputs; all values that no node reads are outputs */
export function randomGraph(seed: number): Graph {
  const random = seeded(seed);
  const g = graphBuilder();
  const values: Value[] = [];
  const state: State = { g, random, values };
  const shape = pick(state, [
    [3 + below(state, 30)],
    [2 + below(state, 5), 7],
    [1 + below(state, 9), 4 + below(state, 6), 4 + below(state, 6)],
  ]);
  range(1 + below(state, 2)).forEach((i) =>
    values.push(g.input(`x${i}`, { dtype: 'float32', shape: ['N', ...shape] })),
  );
  const steps = 2 + below(state, 19);
  for (let tries = 0; values.length < steps && tries < 200; tries++) {
    // Most steps read the newest value, so that chains arise.
    const x = below(state, 3) > 0 ? values[values.length - 1] : pick(state, values);
    if (!x || x.shape.length < 2) continue;
    const families = [
      unary,
      binary,
      movement,
      folding,
      products,
      ...(x.shape.length === 4 ? [windows, windows, unary] : []),
    ];
    const y = pick(state, pick(state, families))(state, x);
    if (y && y.shape[0] === 'N' && sizeOf(sizes(y)) <= maxElements) values.push(y);
  }
  const read = new Set(g.nodes.flatMap(({ inputs }) => inputs.map((value) => value?.name)));
  const last = values.filter((value) => !read.has(value.name));
  const outputs = last.length > 0 ? last : values.slice(-1);
  return checkGraph(g.build(`random ${seed}`, Object.fromEntries(outputs.map((value, i) => [`y${i}`, value]))));
}
