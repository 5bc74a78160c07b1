/** Running statistics are replaced where they are stored, and nothing else of a file changes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { batchNormOf } from '../../../exporter/served/find-batch-norm.ts';
import { givingInputsOf, levelsOf, whyFixed, withStatistics } from '../../../exporter/served/running-statistics.ts';
import { decodeProto, type onnx, onnxProto } from '../../../training/graph/index.ts';

const { ModelProto, TensorProto, AttributeProto } = onnxProto.onnx;
const { FLOAT, DOUBLE, FLOAT16 }: Readonly<Record<'FLOAT' | 'DOUBLE' | 'FLOAT16', number>> = TensorProto.DataType;

const floats = (name: string, values: readonly number[], dataType = FLOAT): onnx.ITensorProto => ({
  name,
  dims: [values.length],
  dataType,
  rawData: new Uint8Array((dataType === DOUBLE ? Float64Array.from(values) : Float32Array.from(values)).buffer),
});

const layer = (input: string, output: string, mean: string, variance: string): onnx.INodeProto => ({
  opType: 'BatchNormalization',
  name: `${output}/BatchNormalization`,
  input: [input, 'scale', 'B', mean, variance],
  output: [output],
});

interface Parts {
  readonly nodes: onnx.INodeProto[];
  readonly stored: onnx.ITensorProto[];
  readonly opset?: number;
}

const model = ({ nodes, stored, opset = 15 }: Parts): Uint8Array =>
  ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'g',
      node: nodes,
      initializer: [floats('scale', [1, 1]), floats('B', [0, 0]), ...stored],
      input: [
        { name: 'x', type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'N' }, { dimValue: 2 }] } } } },
      ],
      output: [{ name: 'y', type: { tensorType: { elemType: FLOAT } } }],
    },
  }).finish();

const layersOf = (bytes: Uint8Array) => batchNormOf(decodeProto(bytes)).layers;

const changed = (bytes: Uint8Array): Uint8Array => {
  const statistics = layersOf(bytes).map(({ output }, i) => {
    const values = { mean: [10 + i, 20 + i], variance: [30 + i, 40 + i] };
    return [output, values] as const;
  });
  return withStatistics(bytes, decodeProto(bytes).graph ?? {}, new Map(statistics));
};

const constant: onnx.INodeProto = {
  opType: 'Constant',
  output: ['var'],
  attribute: [{ name: 'value', type: AttributeProto.AttributeType.TENSOR, t: floats('', [1, 1]) }],
};

describe('other running statistics', () => {
  it.each<[string, Parts]>([
    [
      'stored, each read once',
      { nodes: [layer('x', 'y', 'mean', 'var')], stored: [floats('mean', [0, 0]), floats('var', [1, 1])] },
    ],
    [
      'of float64',
      {
        nodes: [layer('x', 'y', 'mean', 'var')],
        stored: [floats('mean', [0, 0], DOUBLE), floats('var', [1, 1], DOUBLE)],
      },
    ],
    [
      'of which one is a constant',
      { nodes: [constant, layer('x', 'y', 'mean', 'var')], stored: [floats('mean', [0, 0])] },
    ],
    ['one tensor for both', { nodes: [layer('x', 'y', 'one', 'one')], stored: [floats('one', [1, 1])] }],
    [
      'shared by two layers',
      {
        nodes: [layer('x', 'h', 'mean', 'var'), layer('h', 'y', 'mean', 'var')],
        stored: [floats('mean', [0, 0]), floats('var', [1, 1])],
      },
    ],
    [
      'whose own name is taken',
      {
        nodes: [
          { opType: 'Relu', input: ['x'], output: ['y/running_variance'] },
          constant,
          layer('y/running_variance', 'y', 'mean', 'var'),
        ],
        stored: [floats('mean', [0, 0])],
      },
    ],
    [
      'of opset 7',
      { nodes: [layer('x', 'y', 'mean', 'var')], stored: [floats('mean', [0, 0]), floats('var', [1, 1])], opset: 7 },
    ],
  ])('stand in each layer that gets some: %s', (_, parts) => {
    const before = model(parts);
    for (const bytes of [changed(before), changed(changed(before))]) {
      layersOf(bytes).forEach(({ runningMean, runningVar }, i) => {
        expect([runningMean, runningVar]).toEqual([
          [10 + i, 20 + i],
          [30 + i, 40 + i],
        ]);
      });
      const names = (decodeProto(bytes).graph?.node ?? []).flatMap(({ output }) => output ?? []);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('change nothing else of a file', () => {
    const bytes = readFileSync('models/mnist-cnn/model.onnx');
    const others = (file: Uint8Array) =>
      (decodeProto(file).graph?.initializer ?? []).filter(({ name }) => !/running_(mean|var)$/.test(name ?? ''));
    const layers = layersOf(bytes);
    const same = new Map(
      layers.map(({ output, runningMean, runningVar }) => [output, { mean: runningMean, variance: runningVar }]),
    );
    expect(Buffer.compare(withStatistics(bytes, decodeProto(bytes).graph ?? {}, same), bytes)).toBe(0);
    const moved = new Map(layers.map(({ output, runningVar }) => [output, { mean: runningVar, variance: runningVar }]));
    expect(others(withStatistics(bytes, decodeProto(bytes).graph ?? {}, moved))).toEqual(others(bytes));
  });

  it('are not put into half precision', () => {
    const half = (name: string): onnx.ITensorProto => ({
      name,
      dims: [2],
      dataType: FLOAT16,
      rawData: new Uint8Array(4),
    });
    const bytes = model({ nodes: [layer('x', 'y', 'mean', 'var')], stored: [half('mean'), half('var')] });
    const [only] = layersOf(bytes);
    expect(only && whyFixed(decodeProto(bytes).graph ?? {}, only)).toBe('its statistics are in half precision');
  });
});

describe('layers', () => {
  const stored = [floats('mean', [0, 0]), floats('var', [1, 1])];
  const named = (bytes: Uint8Array) =>
    levelsOf(decodeProto(bytes).graph ?? {}, layersOf(bytes)).map((level) => level.map(({ output }) => output));
  const branches = [
    layer('x', 'a', 'mean', 'var'),
    layer('x', 'b', 'mean', 'var'),
    { opType: 'Add', input: ['a', 'b'], output: ['sum'] },
    layer('sum', 'y', 'mean', 'var'),
  ];

  it('are measured one behind the other, and beside each other on branches', () => {
    expect(named(model({ nodes: branches, stored }))).toEqual([['a', 'b'], ['y']]);
  });

  it('are measured in the order of the computation, whatever the order of the nodes', () => {
    expect(named(model({ nodes: branches.toReversed(), stored }))).toEqual([['b', 'a'], ['y']]);
  });

  it('show what goes into them in place of the answers', () => {
    const bytes = readFileSync('models/mnist-cnn/model.onnx');
    const [first] = levelsOf(decodeProto(bytes).graph ?? {}, layersOf(bytes));
    const shown = decodeProto(givingInputsOf(bytes, first ?? [])).graph?.output?.map(({ name }) => name);
    expect(shown).toEqual(first?.map(({ input }) => input));
  });
});
