import { describe, expect, it } from 'vitest';
import { elementCount } from '../../../training/arrays/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  flatten,
  isTrained,
  type Layer,
  maxPool,
  type Network,
  networks,
  outputShapeOf,
  parseNetwork,
  planNetwork,
  relu,
  tensorsOf,
} from '../../../training/network/index.ts';

const network = (inputShape: readonly number[], ...layers: readonly Layer[]): Network => ({
  name: 'test',
  inputShape,
  inputNormalization: 'channel',
  layers,
});

describe('a planned network', () => {
  it.each([
    // 200,704 + 512 + 65,536 + 512 + 2,570
    ['mnist-mlp', 269_834],
    // 144 + 32 + 4,608 + 64 + 200,704 + 256 + 1,290
    ['mnist-cnn', 207_098],
  ] as const)('%s has %d parameters', (name, parameters) => {
    const sizes = tensorsOf(planNetwork(networks[name]))
      .filter(isTrained)
      .map(({ shape }) => elementCount(shape));
    expect(sizes.reduce((a, b) => a + b)).toBe(parameters);
  });

  it('names tensors as PyTorch does', () => {
    const plan = planNetwork(network([1, 8, 8], conv2d(4, { kernel: 3 }), batchNorm(), relu(), flatten(), dense(2)));
    expect(tensorsOf(plan).map(({ name, shape }) => [name, ...shape])).toEqual([
      ['input.mean', 1, 1, 1],
      ['input.std', 1, 1, 1],
      ['conv1.weight', 4, 1, 3, 3],
      ['bn1.weight', 4],
      ['bn1.bias', 4],
      ['bn1.running_mean', 4],
      ['bn1.running_var', 4],
      ['fc1.weight', 2, 144],
      ['fc1.bias', 2],
    ]);
  });

  it('has no bias directly before Batch Norm, and one everywhere else', () => {
    const plan = planNetwork(network([6], dense(5), batchNorm(), dense(4), relu(), batchNorm(), dense(3)));
    const biases = tensorsOf(plan).filter(({ name }) => /^fc\d\.bias$/.test(name));
    expect(biases.map(({ name }) => name)).toEqual(['fc2.bias', 'fc3.bias']);
  });

  it.each([
    ['a kernel that fits exactly', conv2d(2, { kernel: 8 }), [2, 1, 1]],
    ['stride 2', conv2d(2, { kernel: 3, stride: 2 }), [2, 3, 3]],
    ['padding', conv2d(2, { kernel: 3, padding: 1 }), [2, 8, 8]],
    ['pooling that leaves pixels unread', maxPool(3), [3, 2, 2]],
    ['overlapping pooling', maxPool(3, { stride: 1 }), [3, 6, 6]],
  ])('%s gives the shape that ⌊(size + 2 padding − kernel) / stride⌋ + 1 says', (_, layer, shape) => {
    expect(outputShapeOf(planNetwork(network([3, 8, 8], layer)))).toEqual(shape);
  });

  it.each([
    [network([3, 8, 8], dense(2)), 'test: fc1: expected a vector of features, got [3, 8, 8]; put flatten before it'],
    [
      network([3, 8, 8], relu(), flatten(), conv2d(2, { kernel: 3 })),
      'test: conv1: expected an image [C, H, W], got [192]',
    ],
    [
      network([3, 2, 2], conv2d(2, { kernel: 3 })),
      'test: conv1: expected an image of at least 3 pixels, got [3, 2, 2]',
    ],
    [network([3, 2, 2], maxPool(3)), 'test: pool1: expected an image of at least 3 pixels, got [3, 2, 2]'],
    [network([]), 'test: expected an input shape, got []'],
  ])('that does not fit names the layer and the shape', (misfit, message) => {
    expect(() => planNetwork(misfit)).toThrow(message);
  });
});

describe('a network described in a file', () => {
  it.each(Object.values(networks))('$name survives JSON', (named) => {
    expect(parseNetwork(JSON.parse(JSON.stringify(named)))).toEqual(named);
  });

  it.each([
    [null, /expected an object/],
    [{ ...networks['mnist-mlp'], layers: [{ kind: 'dense', units: -1 }] }, /layers\[0\]/],
    [{ ...networks['mnist-mlp'], layers: [{ kind: 'attention' }] }, /layers\[0\]/],
    [{ ...networks['mnist-mlp'], inputShape: [1.5] }, /inputShape\[0\]/],
  ])('%j is refused with one line that says where', (description, where) => {
    const result = parseNetwork(description);
    expect(result).toMatch(where);
    expect(result).not.toContain('\n');
  });
});
