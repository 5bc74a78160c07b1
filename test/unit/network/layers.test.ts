import { describe, expect, test } from 'vitest';
import {
  averagePool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  encodeCategories,
  encodeNumbers,
  flatten,
  gelu,
  globalAveragePool,
  heads,
  type Layer,
  type LayerKind,
  layerNorm,
  layersOf,
  leakyRelu,
  maxPool,
  members,
  type Network,
  outputShapeOf,
  parseNetwork,
  planNetwork,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
  tensorsOf,
} from '../../../training/network/index.ts';

const network = (inputShape: readonly number[], layers: readonly Layer[], columns: Partial<Network> = {}): Network => ({
  name: 'net',
  inputShape,
  inputNormalization: 'feature',
  layers,
  ...columns,
});
const plan = (inputShape: readonly number[], ...layers: readonly Layer[]) => planNetwork(network(inputShape, layers));
const image = [4, 9, 8];

type Row = readonly [
  about: string,
  layer: Layer,
  input: readonly number[],
  output: readonly number[],
  columns?: Partial<Network>,
];
const keeps = (layer: Layer): readonly Row[] => [[layer.kind, layer, image, image]];

/** Two columns of numbers, one with three bins and one with none, and a column of four categories. */
const table: Partial<Network> = {
  inputNormalization: 'robust',
  categories: [0, 4, 0],
  edges: [[0, 1, 2, 3], [], []],
};
/** One category of five is unseen in training. */
const twoKinds: Partial<Network> = { categories: [0, 5, 0, 2], unseen: [[], [3], [], []], indicators: [0, 2] };

/** The type requires a row for every kind of layer. */
const shapes: { readonly [K in LayerKind]: readonly Row[] } = {
  dense: [
    ['dense', dense(5), [3], [5]],
    ['dense for each member', dense(5), [4, 3], [4, 5]],
  ],
  conv2d: [
    ['a convolution without padding', conv2d(6, { kernel: 3 }), image, [6, 7, 6]],
    ['a strided convolution', conv2d(6, { kernel: 3, stride: 2, padding: 1 }), image, [6, 5, 4]],
    ['a dilated convolution', conv2d(6, { kernel: 3, dilation: 2 }), image, [6, 5, 4]],
    ['a grouped convolution', conv2d(6, { kernel: 1, groups: 2 }), image, [6, 9, 8]],
  ],
  batchNorm: [...keeps(batchNorm()), ['Batch Norm of each member', batchNorm(), [4, 3], [4, 3]]],
  layerNorm: keeps(layerNorm()),
  relu: keeps(relu()),
  leakyRelu: keeps(leakyRelu()),
  sigmoid: keeps(sigmoid()),
  tanh: keeps(tanh()),
  gelu: keeps(gelu()),
  softmax: keeps(softmax()),
  maxPool: [['max pooling', maxPool(2), image, [4, 4, 4]]],
  averagePool: [['average pooling with overlap', averagePool(3, { stride: 1 }), image, [4, 7, 6]]],
  globalAveragePool: [['global average pooling', globalAveragePool(), image, [4]]],
  flatten: [['flatten', flatten(), image, [288]]],
  members: [['members', members(4), [3], [4, 3]]],
  heads: [
    ['heads with classes', heads(2), [4, 3], [2]],
    ['heads with a logit', heads(1, { average: 'sigmoid' }), [4, 3], [1]],
    ['heads with a number', heads(1), [4, 3], [1]],
  ],
  dropout: keeps(dropout(0.5)),
  encodeNumbers: [
    ['numbers alone', encodeNumbers({ bins: 0 }), [3], [3], { inputNormalization: 'robust' }],
    ['numbers beside bins and places', encodeNumbers({ bins: 2 }), [3], [9], table],
  ],
  encodeCategories: [
    ['places', encodeCategories(), [3], [9], table],
    ['an embedding of many categories, places of few', encodeCategories({ dimension: 2 }), [4], [8], twoKinds],
  ],
  residual: [['a residual block', residual([conv2d(4, { kernel: 3, padding: 1 })]), image, image]],
};

const cases = Object.values(shapes)
  .flat()
  .map(([about, layer, input, output, columns = {}]) => ({ about, layer, input, output, columns }));

describe('the shape after a layer', () => {
  test.each(cases)('$about', ({ layer, input, output, columns }) => {
    expect(outputShapeOf(planNetwork(network(input, [layer], columns)))).toEqual(output);
  });
});

const misfits: readonly (readonly [inputShape: readonly number[], layers: readonly Layer[], message: string])[] = [
  [image, [dense(3)], 'net: fc1: expected a vector of features, got [4, 9, 8]; put flatten before it'],
  [[3], [relu(), conv2d(2, { kernel: 3 })], 'net: conv1: expected an image [C, H, W], got [3]'],
  [image, [conv2d(2, { kernel: 5, dilation: 2 })], 'net: conv1: expected an image of at least 9 pixels, got [4, 9, 8]'],
  [image, [conv2d(6, { kernel: 1, groups: 3 })], 'net: conv1: expected channels that 3 groups divide, got 4 -> 6'],
  [image, [maxPool(4), maxPool(4)], 'net: pool2: expected an image of at least 4 pixels, got [4, 2, 2]'],
  [image, [members(4)], 'net: members1: expected a vector of features, got [4, 9, 8]'],
  [[3], [heads(2)], 'net: heads1: expected members with features, got [3]; put members before it'],
  [
    [3],
    [members(2), heads(1, { average: 'softmax' })],
    'net: heads1: expected 2 units or more for the average of softmax, got 1; sigmoid and values take one',
  ],
  [[3], [members(2), heads(2), relu()], 'net: heads1: expected heads to end the network, got layers after them'],
  [[3], [members(2), residual([softmax()]), heads(2)], 'net: block1.softmax1: expected no softmax after members'],
  [[3], [globalAveragePool()], 'net: global_pool1: expected an image [C, H, W], got [3]'],
  [
    image,
    [residual([conv2d(8, { kernel: 1, stride: 2 })])],
    'net: block1: expected layers and shortcut of one shape, got [8, 5, 4] and [4, 9, 8]',
  ],
  [
    image,
    [residual([]), residual([conv2d(2, { kernel: 1 })], { shortcut: [relu(), dense(3)] })],
    'net: block2.shortcut.fc1: expected a vector of features, got [4, 9, 8]; put flatten before it',
  ],
];

const rowMisfits: readonly (readonly [layers: readonly Layer[], columns: Partial<Network>, message: string])[] = [
  [
    [relu(), encodeNumbers()],
    table,
    'net: encode_numbers1: expected encodeNumbers at the beginning of the network, got it elsewhere',
  ],
  [
    [residual([encodeCategories()])],
    table,
    'net: block1.encode_categories1: expected encodeCategories at the beginning of the network, got it elsewhere',
  ],
  [[encodeNumbers(), encodeNumbers()], table, 'net: encode_numbers2: expected one encodeNumbers, got another'],
  [
    [encodeNumbers()],
    { categories: [2, 2, 2], inputNormalization: 'robust' },
    'net: encode_numbers1: expected columns of numbers, got none; leave it out',
  ],
  [
    [encodeNumbers()],
    { ...table, inputNormalization: 'feature' },
    'net: encode_numbers1: expected no inputNormalization beside it but robust, got feature',
  ],
  [
    [encodeNumbers()],
    { ...table, bins: 8 },
    'net: encode_numbers1: expected no bins of the network beside its own, got 8',
  ],
  [
    [encodeNumbers()],
    { inputNormalization: 'robust' },
    'net: encode_numbers1: expected edges of its bins, as training finds them in rows of numbers, got none',
  ],
  [
    [encodeCategories()],
    { categories: [0, 0, 0] },
    'net: encode_categories1: expected columns of categories, got none; leave it out',
  ],
];

describe('a layer that does not fit', () => {
  test.each(misfits)('input %j, layers %#', (inputShape, layers, message) => {
    expect(() => plan(inputShape, ...layers)).toThrow(message);
  });

  test.each(rowMisfits)('rows of a table, layers %#', (layers, columns, message) => {
    expect(() => planNetwork(network([3], layers, columns))).toThrow(message);
  });

  test('pictures are no rows', () => {
    expect(() => planNetwork(network(image, [encodeNumbers()], { inputNormalization: 'robust' }))).toThrow(
      'net: encode_numbers1: expected rows of a table, got [4, 9, 8]',
    );
  });
});

describe('layers that encode rows', () => {
  const layers = [encodeNumbers({ bins: 8 }), encodeCategories({ dimension: 2 }), dense(3)];

  test('are named, and an embedding is a matrix of the categories that training has seen', () => {
    const columns: Partial<Network> = { ...table, ...twoKinds, edges: [[0, 1, 2], [], [], []] };
    const planned = planNetwork(network([4], layers, columns));
    expect(layersOf(planned).map(({ name, outputShape }) => [name, outputShape])).toEqual([
      ['encode_numbers1', [4]],
      ['encode_categories1', [4]],
      ['fc1', [3]],
    ]);
    expect(tensorsOf(planned).map(({ name, shape }) => [name, shape])).toEqual([
      ['input.median', [2]],
      ['input.iqr', [2]],
      ['encode_categories1.1.weight', [4, 2]],
      ['fc1.weight', [3, 10]],
      ['fc1.bias', [3]],
    ]);
  });

  test('say of themselves how numbers are scaled, and keep their description', () => {
    const described = {
      name: 'net',
      inputShape: [3],
      layers: [{ kind: 'encodeNumbers' }, { kind: 'encodeCategories' }],
    };
    const parsed = parseNetwork(described);
    expect(parsed).toEqual({
      name: 'net',
      inputShape: [3],
      inputNormalization: 'robust',
      layers: [encodeNumbers(), encodeCategories()],
    });
    expect(parseNetwork(JSON.parse(JSON.stringify(network([3], layers, table))))).toEqual(network([3], layers, table));
    expect(parseNetwork({ ...described, layers: [{ kind: 'encodeCategories', dimension: 0 }] })).toContain('dimension');
  });
});

describe('names and tensors', () => {
  const block = residual([conv2d(8, { kernel: 3, padding: 1 }), batchNorm(), relu(), conv2d(8, { kernel: 1 })], {
    shortcut: [conv2d(8, { kernel: 1 }), batchNorm()],
  });

  test('are nested like PyTorch’s', () => {
    expect(tensorsOf(plan(image, block, relu(), block)).map(({ name }) => name)).toEqual([
      'input.mean',
      'input.std',
      ...['block1', 'block2'].flatMap((name) =>
        [
          'conv1.weight',
          'bn1.weight',
          'bn1.bias',
          'bn1.running_mean',
          'bn1.running_var',
          'conv2.weight',
          'conv2.bias',
          'shortcut.conv1.weight',
          'shortcut.bn1.weight',
          'shortcut.bn1.bias',
          'shortcut.bn1.running_mean',
          'shortcut.bn1.running_var',
        ].map((tensor) => `${name}.${tensor}`),
      ),
    ]);
  });

  test('list the layers inside a block before it', () => {
    expect(layersOf(plan(image, block)).map(({ name }) => name)).toEqual([
      'block1.conv1',
      'block1.bn1',
      'block1.relu1',
      'block1.conv2',
      'block1.shortcut.conv1',
      'block1.shortcut.bn1',
      'block1',
    ]);
  });

  test('of members are shared by all but signs, Batch Norm and heads', () => {
    const layers = [dense(8), members(4), batchNorm(), relu(), dense(6), batchNorm(), heads(2)];
    const shapes = tensorsOf(plan([3], ...layers)).map(({ name, shape }) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual({
      'input.mean': [3],
      'input.std': [3],
      'fc1.weight': [8, 3],
      'members1.weight': [4, 8],
      'fc2.weight': [6, 8],
      ...Object.fromEntries(
        ['weight', 'bias', 'running_mean', 'running_var'].flatMap((name) => [
          [`bn1.${name}`, [32]],
          [`bn2.${name}`, [24]],
        ]),
      ),
      'heads1.weight': [4, 6, 2],
      'heads1.bias': [4, 2],
    });
  });

  test('a grouped kernel is [out, in / groups, kH, kW], and starts by the inputs it sees', () => {
    const [, , weight] = tensorsOf(plan(image, conv2d(6, { kernel: 3, groups: 2 })));
    expect(weight).toEqual({ name: 'conv1.weight', shape: [6, 2, 3, 3], role: { kind: 'weight', fanIn: 18 } });
  });
});

describe('a description from a file', () => {
  test.each(cases)('$about is what it was written from', ({ layer, input, columns }) => {
    const described = network(input, [layer], columns);
    expect(parseNetwork(JSON.parse(JSON.stringify(described)))).toEqual(described);
  });

  test('an unknown kind, a missing and a wrong setting are named', () => {
    const parse = (layer: object) => parseNetwork({ ...network([3], []), layers: [relu(), layer] });
    expect(parse({ kind: 'lstm' })).toContain('layers[1].kind');
    expect(parse({ kind: 'dense' })).toContain('layers[1].units');
    expect(parse(residual([{ kind: 'dropout', rate: 2 }]))).toContain('layers[1].layers[0].rate');
  });
});
