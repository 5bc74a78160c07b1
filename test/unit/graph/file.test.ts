/** Graphs are written to ONNX files and read back, and bad files are refused in one line. */
import onnxProto, { type onnx } from 'onnx-proto';
import protobuf from 'protobufjs/minimal.js';
import { describe, expect, test } from 'vitest';
import {
  decodeModel,
  encodeModel,
  type Graph,
  graphBuilder,
  GraphError,
  modelSignature,
  printGraph,
} from '../../../training/graph/index.ts';
import { opCases } from '../../reference/cases/index.ts';
import { forwardGraph, gradientGraph } from '../../reference/op-graphs.ts';
import { seeded } from '../../reference/random.ts';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;

test('files are read and written without a change to the messages that others read and write', () => {
  decodeModel(encodeModel(affine()));
  expect(() => decodeModel(Uint8Array.of(0xff))).toThrow(GraphError);
  const packed = TensorProto.encode({ dims: [2, 3] }).finish();
  expect([...packed]).toEqual([0x0a, 2, 2, 3]);
  expect([...AttributeProto.encode({ ints: [2, 3] }).finish()]).toEqual([0x42, 2, 2, 3]);
  const text = TensorProto.encode({ stringData: [Uint8Array.of(65)] }).finish();
  expect(TensorProto.decode(text).stringData).toHaveLength(1);
});

describe('a graph survives its file', () => {
  test.each(opCases)('$name', (row) => {
    const graphs = row.forwardOnly === undefined ? [forwardGraph(row), gradientGraph(row)] : [forwardGraph(row)];
    for (const graph of graphs) {
      const bytes = encodeModel(graph);
      const decoded = decodeModel(bytes).graph;
      expect(printGraph(decoded)).toBe(printGraph(graph));
      expect(encodeModel(decoded)).toEqual(bytes);
    }
  });

  test('with the elements of its initializers', () => {
    const g = graphBuilder();
    const weight = g.initializer('weight', { dtype: 'float32', shape: [2], data: Float32Array.of(0.1, -3) });
    const mask = g.initializer('mask', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) });
    const graph = g.build('constants', { y: g.Where(mask, weight, g.scalar(7)) });
    const [first, second] = decodeModel(encodeModel(graph)).graph.initializers;
    expect(first?.constant?.data).toEqual(Float32Array.of(0.1, -3));
    expect(second?.constant?.data).toEqual(Uint8Array.of(1, 0));
  });

  test('with symbolic dimensions', () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: ['N', 3] });
    const graph = g.build('symbolic', { y: g.Relu(x) });
    expect(printGraph(decodeModel(encodeModel(graph)).graph)).toMatchInlineSnapshot(`
      "symbolic(x: float32[N, 3]) {
        y: float32[N, 3] = Relu(x)
        return y
      }"
    `);
  });

  test('with its metadata, in order', () => {
    const metadata = { name: 'mnist', accuracy: '0.99', '': 'a key without a name' };
    expect(Object.entries(decodeModel(encodeModel(relu(), metadata)).metadata)).toEqual(Object.entries(metadata));
  });

  test('initializers that older exporters also list as inputs are no inputs', () => {
    const file = ModelProto.decode(encodeModel(affine()));
    file.graph?.input?.push({ name: 'weight', type: file.graph.input[0]?.type ?? null });
    expect(decodeModel(ModelProto.encode(file).finish()).graph.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  test('lists of floats are read as raw data is', () => {
    const file = ModelProto.decode(encodeModel(affine()));
    const weight = file.graph?.initializer?.[0] ?? {};
    const floats = new Float32Array(Uint8Array.from(weight.rawData ?? []).buffer);
    Object.assign(weight, { rawData: null, floatData: [...floats] });
    expect(decodeModel(ModelProto.encode(file).finish()).graph.initializers[0]?.constant?.data).toEqual(floats);
  });

  test.each([
    ['int32', 'INT32', 'int32Data', [1, -2], Int32Array.of(1, -2)],
    ['int64', 'INT64', 'int64Data', [1, -2], BigInt64Array.of(1n, -2n)],
    ['uint8', 'UINT8', 'int32Data', [1, 255], Uint8Array.of(1, 255)],
    ['bool', 'BOOL', 'int32Data', [1, 0], Uint8Array.of(1, 0)],
  ] as const)('lists of integers are read as raw data of %s is', (_, dataType, list, integers, data) => {
    const bytes = changed(({ initializer }) =>
      initializer?.push({ name: 'list', dataType: TensorProto.DataType[dataType], dims: [2], [list]: [...integers] }),
    );
    expect(decodeModel(bytes).graph.initializers[1]?.constant?.data).toEqual(data);
  });

  test('what a tensor holds besides is skipped, and sizes may need more than 32 bits', () => {
    const bytes = changed((graph) => {
      Object.assign(weightOf(graph), { docString: 'what it is for', stringData: [Uint8Array.of(1)] });
      graph.input?.push({
        name: 'large',
        type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 ** 33 }, { dimValue: 2 ** 50 }] } } },
      });
    });
    const { inputs, initializers } = decodeModel(bytes).graph;
    expect(initializers[0]?.constant?.data).toEqual(Float32Array.of(1, 2));
    expect(inputs[1]?.shape).toEqual([2 ** 33, 2 ** 50]);
  });

  test('an output that the file does not name is called after its node, the node’s output or its op', () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: [1, 1, 2, 2] });
    const [Y] = g.MaxPool(x, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    const file = ModelProto.decode(encodeModel(g.build('pool', { y: Y })));
    const secondOf = (name: string) => {
      Object.assign(file.graph?.node?.[0] ?? {}, { name });
      return decodeModel(ModelProto.encode(file).finish()).graph.nodes[0]?.outputs[1]?.name;
    };
    expect(['pool1', '', 'x'].map(secondOf)).toEqual(['pool1:1', 'y:1', 'x:1']);
  });

  test('an optional input may be blank', () => {
    const g = graphBuilder();
    const [a, b] = [
      g.input('a', { dtype: 'float32', shape: [2, 3] }),
      g.input('b', { dtype: 'float32', shape: [3, 4] }),
    ];
    const graph = g.build('product', { y: g.Gemm(a, b) });
    const file = ModelProto.decode(encodeModel(graph));
    file.graph?.node?.[0]?.input?.push('');
    expect(printGraph(decodeModel(ModelProto.encode(file).finish()).graph)).toBe(printGraph(graph));
  });

  test('an op may have the long name of ONNX’s domain', () => {
    const { nodes } = decodeModel(changed((graph) => (node(graph).domain = 'ai.onnx'))).graph;
    expect(nodes.map(({ op }) => op)).toEqual(['Relu', 'Add']);
  });

  test('a graph of 10,000 nodes with their weights is read', () => {
    const g = graphBuilder();
    let x = g.input('x', { dtype: 'float32', shape: ['N', 2] });
    for (let i = 0; i < 10_000; i++) {
      const weight = g.initializer(`features.${i}.weight`, {
        dtype: 'float32',
        shape: [2],
        data: Float32Array.of(i, 1),
      });
      x = g.Add(x, weight);
    }
    expect(decodeModel(encodeModel(g.build('deep', { y: x }))).graph.nodes).toHaveLength(10_000);
  });

  test('attributes that a file leaves out have the specification’s defaults', () => {
    const graph = forwardOf('BatchNormalization', 'fixed statistics');
    const file = ModelProto.decode(encodeModel(graph));
    for (const node of file.graph?.node ?? []) node.attribute = [];
    expect(decodeModel(ModelProto.encode(file).finish()).graph.nodes[0]?.attributes).toEqual({
      epsilon: 1e-5,
      momentum: 0.9,
      training_mode: 0,
    });
  });
});

describe('encodeModel', () => {
  test('gives the same bytes for the same graph', () => {
    expect(encodeModel(affine(), { a: '1' })).toEqual(encodeModel(affine(), { a: '1' }));
  });

  test('names the opset, and the domains of other ops', () => {
    const g = graphBuilder();
    const [a, b] = ['a', 'b'].map((name) => g.input(name, { dtype: 'float32', shape: [1, 2, 2] }));
    if (!a || !b) throw new Error('expected two inputs');
    const other = g.build('product', { y: g['com.microsoft.FusedMatMul'](a, b, {}) });
    const domains = [affine(), other].map((graph) =>
      ModelProto.decode(encodeModel(graph)).opsetImport.map(({ domain, version }) => [domain, Number(version)]),
    );
    expect(domains).toEqual([
      [['', 18]],
      [
        ['', 18],
        ['com.microsoft', 1],
      ],
    ]);
  });

  test('leaves out optional outputs that nobody reads', () => {
    const graph = forwardOf('MaxPool', 'windows side by side');
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: [1, 1, 2, 2] });
    const [Y] = g.MaxPool(x, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    expect(outputsOf(g.build('pool', { y: Y }))).toEqual([['y']]);
    expect(outputsOf(graph)).toEqual([['y0', 'y1']]);
  });

  test('keeps a first output that nobody reads, which ONNX requires', () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: [1, 1, 2, 2] });
    const [, Indices] = g.MaxPool(x, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    expect(outputsOf(g.build('pool', { indices: Indices }))).toEqual([['MaxPool', 'indices']]);
  });

  test('keeps all outputs of Batch Norm in training, only Y in inference', () => {
    const batchNorm = (training_mode: 0 | 1) => {
      const g = graphBuilder();
      const x = g.input('x', { dtype: 'float32', shape: [4, 2] });
      const c = g.input('c', { dtype: 'float32', shape: [2] });
      const [Y] = g.BatchNormalization(x, c, c, c, c, { epsilon: 1e-5, momentum: 0.9, training_mode });
      return g.build('norm', { y: Y });
    };
    expect(outputsOf(batchNorm(0))).toEqual([['y']]);
    expect(outputsOf(batchNorm(1))).toEqual([['y', 'BatchNormalization:1', 'BatchNormalization:2']]);
  });

  test('packs no list, as proto2 demands of sizes and attributes', () => {
    const files = [forwardOf('Conv'), gradientGraph(first(opCases.filter(({ op }) => op === 'Conv')))].map((graph) =>
      encodeModel(graph),
    );
    const g = graphBuilder();
    const deep = g.Transpose(g.initializer('w', { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) }), {
      perm: [1, 0],
    });
    files.push(encodeModel(g.build('transposed', { y: deep })));
    const types = files.flatMap((file) => [
      ...wireTypes(file, [7, 5], 1),
      ...wireTypes(file, [7, 1, 5], 7),
      ...wireTypes(file, [7, 1, 5], 8),
    ]);
    expect(types.length).toBeGreaterThan(5);
    expect(types.filter((type) => type === 2)).toEqual([]);
  });

  test('writes whole numbers of float attributes as floats', () => {
    const file = ModelProto.decode(encodeModel(forwardOf('Gemm', '{"alpha":3} without C')));
    expect(file.graph?.node?.[0]?.attribute?.[0]).toMatchObject({
      name: 'alpha',
      type: AttributeProto.AttributeType.FLOAT,
      f: 3,
    });
  });
});

test('modelSignature names inputs and outputs with the sizes that the file says', () => {
  const bytes = changed((graph) => {
    const dim = [{ dimValue: 3 }, { dimParam: 'M' }, {}];
    graph.input?.push(
      { name: 'weight', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } } },
      { name: 'sizes', type: { tensorType: { elemType: 1, shape: { dim } } } },
      { name: 'typeless' },
    );
  });
  expect(modelSignature(bytes)).toEqual({
    inputs: [
      { name: 'x', shape: ['N', 2] },
      { name: 'sizes', shape: [3, 'M', '?'] },
      { name: 'typeless', shape: [] },
    ],
    outputs: [{ name: 'y', shape: ['N', 2] }],
  });
});

describe('decodeModel refuses', () => {
  const refused: readonly (readonly [about: string, bytes: Uint8Array, message: string])[] = [
    ['nothing', new Uint8Array(), 'expected an ONNX model, got one without a graph'],
    ['text', new TextEncoder().encode('no model'), 'expected an ONNX model, got 8 bytes that are none'],
    ['half a model', encodeModel(affine()).slice(0, 60), 'expected an ONNX model, got 60 bytes that are none'],
    ['an unknown op', changed((graph) => (node(graph).opType = 'Gelu')), 'Relu: op Gelu is not known'],
    ['a node without an op', changed((graph) => (node(graph).opType = '')), 'Relu: op  is not known'],
    [
      'a node of another domain without an op',
      changed((graph) => Object.assign(node(graph), { domain: 'com.other', opType: '' })),
      'Relu: op com.other. is not known',
    ],
    [
      'an op named like a method of objects',
      changed((graph) => (node(graph).opType = 'toString')),
      'Relu: op toString is not known',
    ],
    [
      'an input of unknown type',
      changed((graph) => (tensorOf(graph.input).elemType = 16)),
      'x: element type 16 is not known',
    ],
    [
      'an initializer of unknown type',
      changed((graph) => (weightOf(graph).dataType = 10)),
      'weight: element type 10 is not known',
    ],
    [
      'an initializer of another length',
      changed((graph) => (weightOf(graph).dims = [3])),
      'weight: expected raw data as long as its shape says',
    ],
    ['a negative dimension', changed((graph) => (weightOf(graph).dims = [-1, -2])), 'weight: expected a size, got -1'],
    ['a missing input', changed((graph) => (node(graph).input = [])), 'Relu: expected 1 inputs, got ()'],
    ['a blank input', changed((graph) => (node(graph).input = [''])), 'Relu: expected 1 inputs, got ()'],
    [
      'a blank input among any number of them',
      changed((graph) =>
        Object.assign(node(graph), { opType: 'Concat', input: ['x', ''], attribute: [{ name: 'axis', i: 0 }] }),
      ),
      'Relu (Concat): expected 1 or more inputs, got (x, )',
    ],
    ['one input too many', changed((graph) => (node(graph).input = ['x', 'x'])), 'Relu: expected 1 inputs, got (x, x)'],
    [
      'an input nobody defines',
      changed((graph) => (node(graph).input = ['z'])),
      'Relu: z is read before it is defined',
    ],
    ['an output nobody defines', changed((graph) => (output(graph).name = 'z')), 'z is read before it is defined'],
    [
      'a name defined twice',
      changed((graph) => graph.initializer?.push(weightOf(graph))),
      'affine: weight: the name is defined twice',
    ],
    [
      'an attribute of another op',
      changed((graph) => (node(graph).attribute = [{ name: 'axis', i: 1 }])),
      'Relu: attribute axis is not known',
    ],
    [
      'an attribute of no op',
      changed((graph) => (node(graph).attribute = [{ name: 'axes' }])),
      'Relu: attribute axes is not known',
    ],
  ];

  test.each(refused)('%s', (_, bytes, message) => {
    expect(() => decodeModel(bytes)).toThrow(new GraphError(message));
  });

  test('a required attribute that is missing, and values out of range', () => {
    const without = (op: string, name: string) => {
      const file = ModelProto.decode(encodeModel(forwardOf(op)));
      for (const { attribute } of file.graph?.node ?? [])
        attribute?.splice(
          attribute.findIndex((a) => a.name === name),
          1,
        );
      return ModelProto.encode(file).finish();
    };
    expect(() => decodeModel(without('Transpose', 'perm'))).toThrow(
      new GraphError('Transpose: expected attribute perm'),
    );
    expect(() => decodeModel(without('Loop', 'body'))).toThrow(new GraphError('Loop: expected attribute body'));
    const file = ModelProto.decode(encodeModel(forwardOf('ArgMax')));
    const [, keepdims] = file.graph?.node?.[0]?.attribute ?? [];
    if (keepdims) keepdims.i = 2;
    expect(() => decodeModel(ModelProto.encode(file).finish())).toThrow(
      new GraphError('ArgMax: expected keepdims 0 or 1, got 2'),
    );
  });
});

describe('decodeModel never fails but by GraphError', () => {
  /** One file for each op, and one for each gradient. */
  const files = opCases
    .filter(({ op }, i) => opCases.findIndex((other) => other.op === op) === i)
    .flatMap((row) => (row.forwardOnly === undefined ? [forwardGraph(row), gradientGraph(row)] : [forwardGraph(row)]))
    .map((graph) => encodeModel(graph));

  test('for 2,000 files with changed bytes', () => {
    const random = seeded(1);
    const pick = (below: number) => Math.floor(random() * below);
    const outcomes = Array.from({ length: 2000 }, () => {
      const bytes = files[pick(files.length)]?.slice() ?? new Uint8Array();
      for (let changes = 1 + pick(3); changes > 0; changes -= 1) bytes[pick(bytes.length)] = pick(256);
      return outcomeOf(bytes);
    });
    // Both outcomes must occur, so that the mutations are neither harmless nor mere noise.
    expect(new Set(outcomes)).toEqual(new Set(['graph', 'GraphError']));
  });

  test('for files cut anywhere', () => {
    const outcomes = files.flatMap((bytes) =>
      Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => outcomeOf(bytes.slice(0, 7 * i))),
    );
    // A file that lacks only its last fields may still be a graph.
    expect(new Set(outcomes)).toEqual(new Set(['graph', 'GraphError']));
  });

  test('for nodes that lack an input, an output or an attribute', () => {
    const outcomes = new Set<string>();
    for (const bytes of files) {
      for (const list of ['input', 'output', 'attribute'] as const) {
        for (let at = 0; at < 5; at += 1) {
          const file = ModelProto.decode(bytes);
          for (const { [list]: entries } of file.graph?.node ?? []) entries?.splice(at, 1);
          outcomes.add(outcomeOf(ModelProto.encode(file).finish()));
        }
      }
    }
    // Not every node has five of each, and an attribute may have a default.
    expect(outcomes).toEqual(new Set(['graph', 'GraphError']));
  });
});

function outcomeOf(bytes: Uint8Array): 'graph' | 'GraphError' {
  try {
    decodeModel(bytes);
    return 'graph';
  } catch (error) {
    if (error instanceof GraphError) return 'GraphError';
    throw new Error(`not a GraphError, for ${Buffer.from(bytes).toString('base64')}`, { cause: error });
  }
}

function relu(): Graph {
  const g = graphBuilder();
  return g.build('relu', { y: g.Relu(g.input('x', { dtype: 'float32', shape: ['N', 2] })) });
}

/** Makes a graph of Relu, followed by adding a weight. */
function affine(): Graph {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 2] });
  const weight = g.initializer('weight', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
  return g.build('affine', { y: g.Add(g.Relu(x), weight) });
}

function forwardOf(op: string, about?: string): Graph {
  const row = opCases.find(
    (candidate) => candidate.op === op && (about === undefined || candidate.about.startsWith(about)),
  );
  if (!row) throw new Error(`no case of ${op} ${about ?? ''}`);
  return forwardGraph(row);
}

function outputsOf(graph: Graph): readonly unknown[] {
  return ModelProto.decode(encodeModel(graph)).graph?.node?.map((proto) => proto.output) ?? [];
}

/** Returns the wire types of a field's numbers (2 is a packed list), in all messages at the end of a path of fields. */
function wireTypes(message: Uint8Array, [next, ...path]: readonly number[], field: number): readonly number[] {
  const reader = protobuf.Reader.create(message);
  const found: number[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (next === undefined && tag >>> 3 === field) found.push(tag & 7);
    if (next !== undefined && tag >>> 3 === next) found.push(...wireTypes(reader.bytes(), path, field));
    else reader.skipType(tag & 7);
  }
  return found;
}

/** Writes the affine graph's file with a change. */
function changed(change: (graph: onnx.IGraphProto) => unknown): Uint8Array {
  const file = ModelProto.decode(encodeModel(affine()));
  change(file.graph ?? {});
  return ModelProto.encode(file).finish();
}

function first<T>(list: readonly T[] | null | undefined): T {
  const [item] = list ?? [];
  if (item === undefined) throw new Error('expected an item');
  return item;
}

const node = (graph: onnx.IGraphProto): onnx.INodeProto => first(graph.node);
const output = (graph: onnx.IGraphProto): onnx.IValueInfoProto => first(graph.output);
const weightOf = (graph: onnx.IGraphProto): onnx.ITensorProto => first(graph.initializer);
const tensorOf = (inputs: onnx.IValueInfoProto[] | null | undefined) => first(inputs).type?.tensorType ?? {};
