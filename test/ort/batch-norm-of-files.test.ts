/**
 * The statistics by which the Batch Norm of any file normalizes are described, changed where the card says so, or
 * refused.
 */
import { readFileSync } from 'node:fs';
import onnxProto, { type onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { prepareModel } from '../../exporter/served/prepare.ts';
import { switchName } from '../../exporter/served/switchable.ts';
import { UserError } from '../../training/files/index.ts';
import {
  answersOf,
  type Attributes,
  FLOAT16,
  INT64,
  INT8,
  model,
  node,
  type Numbers,
  port,
  stored,
} from './onnx-build.ts';
import { expectAllClose } from '../reference/close.ts';

const { INT } = onnxProto.onnx.AttributeProto.AttributeType;

const parameters = [stored('g', [2, 1, 0.5]), stored('b', [0, 1, -1]), stored('m', [1, -1, 5]), stored('v', [4, 1, 9])];
const rows: Numbers = { shape: [2, 3], data: [1, 2, 3, -4, 0, 9] };
const one: Numbers = { shape: [1, 3], data: [1, 2, 3] };
const names = ['g', 'b', 'm', 'v'];

/** Normalizes the rows by a mean and a variance for each column. */
function normalized(x: Numbers, mean: readonly number[], variance: readonly number[], epsilon = 1e-5): number[] {
  const [gamma, beta] = [
    [2, 1, 0.5],
    [0, 1, -1],
  ];
  return x.data.map((value, i) => {
    const c = i % 3;
    return ((gamma[c] ?? 0) * (value - (mean[c] ?? 0))) / Math.sqrt((variance[c] ?? 0) + epsilon) + (beta[c] ?? 0);
  });
}

const byRunning = (x: Numbers) => normalized(x, [1, -1, 5], [4, 1, 9]);
/** Normalizes by the mini-batch's μ = (−1.5, 1, 6) and σ² = (6.25, 1, 9). */
const byBatch = (x: Numbers) => normalized(x, [-1.5, 1, 6], [6.25, 1, 9]);

interface Layer {
  readonly opset?: number;
  readonly outputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly nodes?: readonly onnx.INodeProto[];
  readonly given?: readonly string[];
  readonly initializer?: readonly onnx.ITensorProto[];
  readonly answers?: readonly string[];
  readonly x?: onnx.IValueInfoProto;
}

/** Makes a file of one layer from x [N, 3] to y, with the given nodes before and after it. */
function layer(options: Layer = {}): Uint8Array {
  const {
    opset,
    outputs = ['y'],
    attributes,
    nodes = [],
    given = names,
    initializer = parameters,
    answers = ['y'],
    x,
  } = options;
  return model(
    {
      input: [x ?? port('x', ['N', 3])],
      output: answers.map((name) => port(name)),
      initializer: [...initializer],
      node: [...nodes, node('BatchNormalization', ['x', ...given], outputs, attributes)],
    },
    opset,
  );
}

const training = layer({ outputs: ['y', 'rm', 'rv'], attributes: { training_mode: 1 } });
const trainingOutputs = layer({
  outputs: ['y', 'rm', 'rv'],
  attributes: { training_mode: 1 },
  answers: ['y', 'rm', 'rv'],
});
/** The form that torch.onnx.export(training=TrainingMode.TRAINING) wrote before `training_mode` existed. */
const trainingOld = layer({ opset: 9, outputs: ['y', 'rm', 'rv', 'sm', 'sv'] });
const untracked = readFileSync('test/fixtures/untracked/model.onnx');

const expectClose = (got: readonly number[] | undefined, expected: readonly number[]) => {
  expectAllClose('answers', got, expected, { rtol: 9e-6, ofLargest: 1e-6 });
};

describe('a layer that normalizes with the mini-batch', () => {
  const running =
    'export in evaluation mode, or set "batchNorm" in card.json (add: --batch-norm) to "inference" (the file\'s running statistics) or "as-is"';
  it.each([
    ['by training_mode', training, 'y_node (training_mode 1)', running],
    ['and tells the updated statistics', trainingOutputs, 'y_node (training_mode 1)', running],
    ['by the outputs of opset 9', trainingOld, 'y_node (the outputs that opset 9 has in training)', running],
    [
      'by a mean that PyTorch computes of it',
      untracked,
      'node__native_batch_norm_legit__0 (mean and variance computed from the samples)',
      'export with running statistics, or set "batchNorm" in card.json (add: --batch-norm) to "as-is"',
    ],
  ])('%s is refused by name, with the way out', (_, file, layers, ways) => {
    const message = `model.onnx: expected Batch Norm with running statistics, got the mini-batch's in ${layers}; ${ways}`;
    expect(() => prepareModel('model.onnx', file)).toThrow(new UserError(message));
  });

  it('in a function, in a branch, and behind a name that the call gives is refused', () => {
    for (const file of [inFunction(1), inBranch(1)]) {
      expect(() => prepareModel('model.onnx', file)).toThrow(
        /got the mini-batch's in .+ \(training_mode 1 in (the function|a branch of If)/,
      );
    }
  });

  it.each([
    ['training_mode', training],
    ['training_mode and statistics that are outputs', trainingOutputs],
    ['the outputs of opset 9', trainingOld],
  ])('by %s answers with the running statistics where the card says "inference"', async (_, file) => {
    const { model: served, ofBatch, batchNorm, remarks } = prepareModel('model.onnx', file, false, 'inference');
    const [first, alone, again] = await answersOf(served, { x: rows }, { x: one }, { x: rows });
    expectClose(first?.['y'], byRunning(rows));
    expectClose(alone?.['y'], byRunning(one));
    expect(again).toEqual(first);
    if (first && 'rm' in first)
      expect([first['rm'], first['rv']]).toEqual([
        [1, -1, 5],
        [4, 1, 9],
      ]);
    expect(ofBatch).toBeUndefined();
    expect(batchNorm).toMatchObject([{ name: 'y_node', runningMean: [1, -1, 5], runningVar: [4, 1, 9] }]);
    expect(remarks).toEqual([]);
  });

  it.each([
    ['training_mode', training],
    ['training_mode and statistics that are outputs', trainingOutputs],
    ['the outputs of opset 9', trainingOld],
  ])('by %s answers as it is where the card says "as-is", every time the same, and is called so', async (_, file) => {
    const { model: served, ofBatch, batchNorm, remarks, noTwin } = prepareModel('model.onnx', file, true, 'as-is');
    const [first, again] = await answersOf(served, { x: rows }, { x: rows });
    expectClose(first?.['y'], byBatch(rows));
    expect(again).toEqual(first);
    // 0.9 times the old statistics and 0.1 times the mini-batch's.
    if (first && 'rm' in first) expectClose(first['rm'], [0.75, -0.8, 5.1]);
    expect(ofBatch).toEqual({ layers: ['y_node'], of: 1 });
    expect(batchNorm).toEqual([]);
    expect(noTwin).toContain("y_node normalizes with the mini-batch's own statistics");
    expect(remarks[0]).toMatch(/^1 of 1 Batch Norm layers normalize with the mini-batch's own statistics, .*: y_node/);
  });

  it('never overwrites stored numbers that happen to equal its running statistics', async () => {
    const same = [stored('g', [1, 1, 1]), stored('b', [0, 0, 0]), stored('m', [0, 0, 0]), stored('v', [1, 1, 1])];
    const file = layer({ outputs: ['y', 'rm', 'rv'], attributes: { training_mode: 1 }, initializer: same });
    const [first, ...others] = await answersOf(
      prepareModel('m', file, false, 'as-is').model,
      { x: rows },
      { x: rows },
      { x: rows },
    );
    expectClose(first?.['y'], [1, 1, -1, -1, -1, 1]);
    expect(others).toEqual([first, first]);
    const stock = await answersOf(file, { x: rows }, { x: rows });
    expect(stock[1], 'the runtime has learnt to leave stored numbers alone').not.toEqual(stock[0]);
  });

  it('of PyTorch without running statistics is served as it is, and never in inference', async () => {
    const { inputs, outputs } = JSON.parse(readFileSync('test/fixtures/untracked/expected.json', 'utf8')) as {
      inputs: (Numbers & { name: string })[];
      outputs: Record<string, number[]>;
    };
    const { model: served, ofBatch } = prepareModel('m', untracked, false, 'as-is');
    const [answer] = await answersOf(served, { x: inputs[0] ?? rows });
    for (const [name, expected] of Object.entries(outputs)) expectClose(answer?.[name], expected);
    expect(ofBatch?.of).toBe(1);
    expect(() => prepareModel('m', untracked, false, 'inference')).toThrow(
      'm: "batchNorm": expected "as-is", got "inference": the file has no running statistics for node__native_batch_norm_legit__0',
    );
  });

  it('of opset 9 whose saved mean is used has no inference', () => {
    const file = layer({ opset: 9, outputs: ['y', 'rm', 'rv', 'sm', 'sv'], answers: ['y', 'sm'] });
    expect(() => prepareModel('m', file, false, 'inference')).toThrow(`the mini-batch's "sm" is used`);
  });

  it('but weights, as standardized convolutions are exported, is constant and right', () => {
    const file = model({
      input: [port('x', ['N', 2])],
      output: [port('y')],
      initializer: [stored('w', [1, 2, 3, 4, 5, 6], [1, 3, 2]), ...parameters],
      node: [
        node('BatchNormalization', ['w', ...names], ['s', 'rm', 'rv'], { training_mode: 1 }),
        node('ReduceMean', ['s'], ['t'], { axes: [0], keepdims: 0 }),
        node('Transpose', ['t'], ['u']),
        node('MatMul', ['x', 'u'], ['y']),
      ],
    });
    expect(prepareModel('m', file)).toMatchObject({
      batchNorm: [],
      remarks: [expect.stringContaining('no Batch Norm layers')],
    });
    const computed = layer({
      nodes: [node('ReduceMean', ['w'], ['m2'], { axes: [0], keepdims: 0 })],
      given: ['g', 'b', 'm2', 'v'],
      initializer: [...parameters, stored('w', [1, 2, 3, 4, 5, 6], [2, 3])],
    });
    expect(prepareModel('m', computed).remarks[0]).toBe(
      'Batch Norm that is not described: y_node (its parameters are not stored in the file)',
    );
  });
});

/** Puts the layer into a function of the file, whose call sets its mode. */
function inFunction(mode: number): Uint8Array {
  const body = node('BatchNormalization', ['a', ...names], ['c']);
  body.attribute = [{ name: 'training_mode', type: INT, refAttrName: 'mode' }];
  const functions = [
    {
      name: 'Norm',
      domain: 'own',
      input: ['a', ...names],
      output: ['c'],
      attribute: ['mode'],
      node: [body],
      opsetImport: [{ domain: '', version: 17 }],
    },
  ];
  return model(
    {
      input: [port('x', ['N', 3])],
      output: [port('y')],
      initializer: parameters,
      node: [node('Norm', ['x', ...names], ['y'], { mode }, 'own')],
    },
    17,
    {
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'own', version: 1 },
      ],
      functions,
    },
  );
}

/** Puts the layer into one branch of an If, which reads the parameters of the outer graph. */
function inBranch(mode: number): Uint8Array {
  const outputs = mode === 1 ? ['z', 'rm', 'rv'] : ['z'];
  const graph = (inner: onnx.INodeProto): onnx.IGraphProto => ({ name: 'b', node: [inner], output: [port('z')] });
  const normal = graph(node('BatchNormalization', ['x', ...names], outputs, { training_mode: mode }));
  return model({
    input: [port('x', ['N', 3]), { name: 'c', type: { tensorType: { elemType: 9, shape: { dim: [] } } } }],
    output: [port('y')],
    initializer: parameters,
    node: [node('If', ['c'], ['y'], { then_branch: normal, else_branch: graph(node('Identity', ['x'], ['z'])) })],
  });
}

/** Stores halfs by their bits. */
const half = (name: string, bits: readonly number[]) => stored(name, bits, [3], FLOAT16);

const described: readonly (readonly [what: string, file: Uint8Array])[] = [
  ['of opset 7', layer({ opset: 7 })],
  ['of opset 13', layer({ opset: 13 })],
  ['of opset 15', layer({ opset: 15 })],
  [
    'with parameters behind DequantizeLinear',
    layer({
      initializer: [
        ...parameters.slice(1),
        stored('q', [8, 4, 2], [3], INT8),
        stored('s', [0.25], []),
        stored('z', [0], [], INT8),
      ],
      nodes: [node('DequantizeLinear', ['q', 's', 'z'], ['g'])],
    }),
  ],
  [
    'with parameters behind identities and reshapes',
    layer({
      initializer: [...parameters.slice(1), stored('q', [2, 1, 0.5], [3, 1]), stored('flat', [-1], [1], INT64)],
      nodes: [node('Identity', ['q'], ['r']), node('Reshape', ['r', 'flat'], ['g'])],
    }),
  ],
];

describe('a layer with running statistics', () => {
  it.each(described)('%s is described as it answers', async (_, file) => {
    const { model: served, batchNorm, remarks } = prepareModel('m', file, false);
    expect(batchNorm).toMatchObject([
      { gamma: [2, 1, 0.5], beta: [0, 1, -1], runningMean: [1, -1, 5], runningVar: [4, 1, 9] },
    ]);
    expect(remarks).toEqual([]);
    expectClose((await answersOf(served, { x: rows }))[0]?.['y'], byRunning(rows));
  });

  it('with γ, β of ConstantOfShape has as many channels as it says', async () => {
    const three = stored('s', [3], [1], INT64);
    const file = layer({
      initializer: [...parameters.slice(2), three],
      nodes: [
        node('ConstantOfShape', ['s'], ['g'], { value: stored('', [1.5], [1]) }),
        node('ConstantOfShape', ['s'], ['b']),
      ],
    });
    const { batchNorm, switchable } = prepareModel('m', file);
    expect(batchNorm).toMatchObject([{ gamma: [1.5, 1.5, 1.5], beta: [0, 0, 0] }]);
    const [running, batch] = await answersOf(
      switchable ?? new Uint8Array(),
      { x: rows, [switchName]: false },
      { x: rows, [switchName]: true },
    );
    expectClose(running?.['y'], [0, 4.5, -1, -3.75, 1.5, 2]);
    expectClose(batch?.['y'], [1.5, 1.5, -1.5, -1.5, -1.5, 1.5]);
  });

  it('in half precision is described, without a switch', () => {
    const file = layer({
      x: port('x', ['N', 3], FLOAT16),
      initializer: [
        half('g', [0x4000, 0x3c00, 0x3800]),
        half('b', [0, 0x3c00, 0xbc00]),
        half('m', [0x3c00, 0xbc00, 0x4500]),
        half('v', [0x4400, 0x3c00, 0x4880]),
      ],
    });
    expect(prepareModel('m', file)).toMatchObject({
      batchNorm: [{ gamma: [2, 1, 0.5], beta: [0, 1, -1], runningMean: [1, -1, 5], runningVar: [4, 1, 9] }],
      noTwin: 'y_node is in half precision',
      remarks: ['no switch at the Batch Norm layers: y_node is in half precision'],
    });
  });

  it.each([
    ['in a function', inFunction(0), 'c_node (it is in the function Norm)'],
    ['in a branch', inBranch(0), 'z_node (it is in a branch of If)'],
    [
      'for each place',
      layer({
        opset: 7,
        attributes: { spatial: 0 },
        x: port('x', ['N', 3, 1]),
        initializer: ['g', 'b', 'm', 'v'].map((name) => stored(name, [1, 1, 1], [3, 1])),
      }),
      'y_node (it normalizes each place by itself (spatial 0))',
    ],
  ])('%s is said to be not described, and gets no switch', (_, file, layers) => {
    const { batchNorm, remarks, switchable } = prepareModel('m', file);
    expect({ batchNorm, switchable }).toEqual({ batchNorm: [], switchable: undefined });
    expect(remarks[0]).toBe(`Batch Norm that is not described: ${layers}`);
    expect(remarks[1]).toMatch(/^no switch at the Batch Norm layers: .* cannot be described: /);
  });
});

describe('a switch', () => {
  it('is left out where the samples do not come first, and it says so', () => {
    const file = layer({ x: port('x', ['time', 3, 'batch']) });
    expect(prepareModel('m', file)).toMatchObject({
      batchNorm: [{ name: 'y_node' }],
      remarks: ['no switch at the Batch Norm layers: where the samples are in what y_node gets cannot be told'],
    });
    const swapped = layer({ x: port('z', ['N', 3, 3]), nodes: [node('Transpose', ['z'], ['x'], { perm: [1, 0, 2] })] });
    expect(prepareModel('m', swapped).noTwin).toContain('where the samples are');
    const merged = layer({
      x: port('z', ['N', 4, 3]),
      initializer: [...parameters, stored('rows', [-1, 3], [2], INT64)],
      nodes: [node('Reshape', ['z', 'rows'], ['x'])],
    });
    expect(prepareModel('m', merged).noTwin).toContain('where the samples are');
  });

  it.each([
    ['a pooled picture', [node('GlobalAveragePool', ['z'], ['p']), node('Flatten', ['p'], ['x'])]],
    [
      'a reshape by the size of the batch',
      [
        node('GlobalAveragePool', ['z'], ['p']),
        node('Shape', ['p'], ['shape']),
        node('Gather', ['shape', 'zero'], ['n']),
        node('Unsqueeze', ['n', 'zeros'], ['n1']),
        node('Concat', ['n1', 'rest'], ['to'], { axis: 0 }),
        node('Reshape', ['p', 'to'], ['x']),
      ],
    ],
  ])('is there behind %s', (_, nodes) => {
    const initializer = [
      ...parameters,
      stored('zero', [0], [], INT64),
      stored('zeros', [0], [1], INT64),
      stored('rest', [-1], [1], INT64),
    ];
    const file = layer({ x: port('z', ['N', 3, 2, 2]), nodes, initializer });
    expect(prepareModel('m', file)).toMatchObject({ remarks: [], batchNorm: [{ name: 'y_node' }] });
    expect(prepareModel('m', file).switchable).toBeInstanceOf(Uint8Array);
  });

  it('of two layers with equal statistics answers the same however often either was asked for', async () => {
    const file = model({
      input: [port('x', ['N', 3])],
      output: [port('y')],
      initializer: [stored('g', [1, 1, 1]), stored('b', [0, 0, 0]), stored('m', [0, 0, 0]), stored('v', [1, 1, 1])],
      node: [
        node('BatchNormalization', ['x', 'g', 'b', 'm', 'v'], ['h']),
        node('Tanh', ['h'], ['t']),
        node('BatchNormalization', ['t', 'g', 'b', 'm', 'v'], ['y']),
      ],
    });
    const request = (on: boolean) => ({ x: rows, [switchName]: on });
    const twin = prepareModel('m', file).switchable ?? new Uint8Array();
    const answers = await answersOf(twin, ...[false, true, false, true, true, false].map(request));
    expect(answers[2]).toEqual(answers[0]);
    expect(answers[5]).toEqual(answers[0]);
    expect(answers[3]).toEqual(answers[1]);
    expect(answers[4]).toEqual(answers[1]);
    expectClose(
      answers[0]?.['y'],
      rows.data.map((x) => Math.tanh(x / Math.sqrt(1 + 1e-5)) / Math.sqrt(1 + 1e-5)),
    );
  });

  it('cannot be where exporters have folded the layers, which is said of files with weights alone', () => {
    const dense = model({
      input: [port('x', ['N', 3])],
      output: [port('y')],
      initializer: [stored('w', [1, 2, 3], [3, 1])],
      node: [node('MatMul', ['x', 'w'], ['y'])],
    });
    expect(prepareModel('m', dense).noTwin).toBe(
      'it has no Batch Norm layers: exporters fold them into the layer before (torch.onnx.export(…, optimize=False) keeps them; Keras and timm fold, too)',
    );
    const other = model({ input: [port('x', ['N', 3])], output: [port('y')], node: [node('Relu', ['x'], ['y'])] });
    expect(prepareModel('m', other).noTwin).toBe('it has no Batch Norm layers');
    expect(prepareModel('m', layer({ opset: 13 })).noTwin).toBe('it is of opset 13, and the switch needs 14');
  });
});
