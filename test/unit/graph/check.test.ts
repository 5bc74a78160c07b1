/** The checker refuses graphs broken by hand. */
import { describe, expect, test } from 'vitest';
import {
  checkGraph,
  type Graph,
  graphBuilder,
  GraphError,
  type Node,
  type OpType,
  type Shape,
  Value,
} from '../../../training/graph/index.ts';

const float = (name: string, ...shape: Shape): Value => new Value(name, { dtype: 'float32', shape });
const x = float('x', 2);

const node = (op: OpType, inputs: readonly (Value | undefined)[], outputs: readonly Value[], attributes: object = {}) =>
  ({ op, name: outputs[0]?.name ?? op, inputs, outputs, attributes }) as unknown as Node;

const graphOf = (nodes: readonly Node[], outputs: readonly Value[] = [], inputs: readonly Value[] = [x]): Graph => ({
  name: 'broken',
  inputs,
  initializers: [],
  nodes,
  outputs,
});

describe('checkGraph refuses', () => {
  const y = float('y', 2);
  const broken: readonly (readonly [about: string, graph: Graph, message: string])[] = [
    ['a name defined twice', graphOf([node('Relu', [x], [float('x', 2)])]), 'broken: x: the name is defined twice'],
    ['two inputs of one name', graphOf([], [], [x, x]), 'broken: x: the name is defined twice'],
    [
      'a value that nobody defines',
      graphOf([node('Relu', [float('z', 2)], [y])]),
      'broken: y: z is read before it is defined',
    ],
    [
      'nodes out of order',
      graphOf([node('Neg', [y], [float('z', 2)]), node('Relu', [x], [y])]),
      'broken: z: y is read before it is defined',
    ],
    ['an output that nobody defines', graphOf([], [float('z')]), 'broken: the outputs: z is read before it is defined'],
    [
      'a read of another shape',
      graphOf([node('Relu', [float('x', 3)], [float('y', 3)])]),
      'broken: y: x is defined as float32[2] and read as float32[3]',
    ],
    [
      'a read of another type',
      graphOf([], [new Value('x', { dtype: 'int32', shape: [2] })]),
      'broken: the outputs: x is defined as float32[2] and read as int32[2]',
    ],
    [
      'a stored shape that is not the inferred one',
      graphOf([node('Relu', [x], [float('y', 3)])]),
      'broken: y: expected outputs float32[2], got float32[3]',
    ],
    [
      'a stored type that is not the inferred one',
      graphOf([node('Equal', [x, x], [y])]),
      'broken: y: expected outputs bool[2], got float32[2]',
    ],
    [
      'an output too many',
      graphOf([node('Relu', [x], [y, float('z', 2)])]),
      'broken: y: expected outputs float32[2], got float32[2] and float32[2]',
    ],
    [
      'an output too few',
      graphOf([node('Softmax', [x], [], { axis: 0 })]),
      'broken: Softmax: expected outputs float32[2], got ',
    ],
    [
      'inputs that do not fit',
      graphOf([node('Add', [x, float('w', 3)], [y])], [], [x, float('w', 3)]),
      'broken: y: expected shapes that broadcast, got [2] and [3]',
    ],
  ];

  test.each(broken)('%s', (_, graph, message) => {
    expect(() => checkGraph(graph)).toThrow(new GraphError(message));
  });

  test('an op that the target does not have, in bodies too', () => {
    const g = graphBuilder();
    const b = g.body();
    b.input('i', { dtype: 'int64', shape: [] });
    const going = b.input('going', { dtype: 'bool', shape: [] });
    const state = b.input('state', x);
    const body = b.build('body', { going_on: going, next: b.Exp(state) });
    const [last] = g.Loop(g.scalar(3, 'int64'), g.input('go', { dtype: 'bool', shape: [] }), g.input('x', x), { body });
    const graph = g.build('loop', { last: last ?? x });
    expect(() => checkGraph(graph, new Set<OpType>(['Loop', 'Identity']))).toThrow(
      new GraphError('loop: Exp: op Exp is not available on the target'),
    );
    expect(checkGraph(graph, new Set<OpType>(['Loop', 'Identity', 'Exp']))).toBe(graph);
  });

  test('a body that reads what is defined only later', () => {
    const body: Graph = {
      ...graphOf([node('Relu', [float('late', 2)], [float('next', 2)])], [float('next', 2)]),
      inputs: [],
    };
    const loop = node('Loop', [], [], { body });
    expect(() => checkGraph(graphOf([loop, node('Relu', [x], [float('late', 2)])]))).toThrow(
      new GraphError('broken: next: late is read before it is defined'),
    );
  });
});

test('checkGraph gives back a graph that holds', () => {
  const graph = graphOf([node('Relu', [x], [float('y', 2)])], [float('y', 2)]);
  expect(checkGraph(graph)).toBe(graph);
});
