/** Patterns match the nodes that they describe and no others, each in one small graph. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import { graphBuilder, type OpNode, type Value } from '../../../training/graph/index.ts';
import { nodesOf } from '../../../training/lowering/nodes.ts';
import { patterns } from '../../../training/lowering/pattern.ts';

const { Add, Conv, Greater, MaxPool, Mul, ReduceSum, Relu, Sub, Transpose } = patterns;

const g = graphBuilder();
const [a, b] = ['a', 'b'].map((name) => g.input(name, { dtype: 'float32', shape: [1, 1, 4, 4] })) as [Value, Value];
const relu = g.Relu(a);
const product = g.Mul(relu, b);
const square = g.Mul(relu, relu);
const sum = g.Add(product, square);
const difference = g.Sub(sum, product);
const turned = g.Transpose(a, { perm: [0, 1, 3, 2] });
const total = g.ReduceSum(turned, g.ints([2, 3]), { keepdims: 0 });
const greater = g.Greater(difference, g.scalar(0.5));
const [pooled, indices] = g.MaxPool(a, { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
/** The outputs of a graph have names of their own, so these are copies. */
const outputs = Object.entries({ total, greater, pooled, indices }).map(([name, value]) => [name, g.Identity(value)]);
const nodes = nodesOf(g.build('graph', Object.fromEntries(outputs) as Readonly<Record<string, Value>>));

const rows: readonly (readonly [about: string, matches: unknown, found: boolean])[] = [
  ['a name for each operand', Mul('x', 'y').match(nodes, product), true],
  ['another op', Add('x', 'y').match(nodes, product), false],
  ['a node among the operands', Mul(Relu('x'), 'y').match(nodes, product), true],
  ['a commutative op in the other order', Mul('y', Relu('x')).match(nodes, product), true],
  ['no other op in the other order', Sub(Mul('x', 'y'), Add('_', '_')).match(nodes, difference), false],
  ['the same name for the same value', Mul('x', 'x').match(nodes, square), true],
  ['the same name for two values', Mul('x', 'x').match(nodes, product), false],
  ['a name that settles an order further in', Add(Mul('x', 'x'), Mul('y', 'x')).match(nodes, sum), true],
  ['anything twice', Mul('_', '_').match(nodes, product), true],
  ['attributes', Transpose('x', { perm: [0, 1, 3, 2] }).match(nodes, turned), true],
  ['other attributes', Transpose('x', { perm: [0, 1, 2, 3] }).match(nodes, turned), false],
  ['a list of numbers', ReduceSum('x', [2, 3]).match(nodes, total), true],
  ['another list', ReduceSum('x', [2]).match(nodes, total), false],
  ['a number', Greater('x', 0.5).match(nodes, greater), true],
  ['another number', Greater('x', 0).match(nodes, greater), false],
  ['a number where there is none', Mul('x', 0.5).match(nodes, product), false],
  ['an input that is not there', ReduceSum('x', '_', undefined).match(nodes, total), true],
  ['an input that is there after all', ReduceSum('x', undefined).match(nodes, total), false],
  ['the first output', MaxPool('x').match(nodes, pooled), true],
  ['not the second', MaxPool('x').match(nodes, indices), false],
  ['the second, asked for', MaxPool('x').output(1).match(nodes, indices), true],
  ['what one node reads', Add('x', Mul('y', 'y').once()).match(nodes, sum), true],
  ['what two nodes read', Add(Mul('x', Relu('_')).once(), Mul('y', 'y')).match(nodes, sum), false],
  [
    'what passes a test',
    Mul('x', 'y')
      .where(({ y }) => y === b)
      .match(nodes, product),
    true,
  ],
  [
    'what passes it in the other order',
    Mul('x', 'y')
      .where(({ x }) => x === b)
      .match(nodes, product),
    true,
  ],
  [
    'what does not',
    Mul('x', 'y')
      .where(() => false)
      .match(nodes, product),
    false,
  ],
  ['one node twice', Mul(Relu('_').as('relu'), Relu('_').as('relu')).match(nodes, square), true],
  ['two nodes by one name', Add(Mul('_', '_').as('product'), Mul('_', '_').as('product')).match(nodes, sum), false],
  ['an input of the graph', Relu('x').match(nodes, a), false],
  ['nothing', Relu('x').match(nodes, undefined), false],
];

describe('a pattern', () => {
  it.each(rows)('%s', (_, matches, found) => {
    expect(matches !== undefined).toBe(found);
  });

  it('finds values and nodes by their names', () => {
    const found = Mul('y', Relu('x').as('relu')).match(nodes, product);
    expect(found).toEqual({ x: a, y: b, relu: g.producer(relu) });
  });

  it('knows what it finds, and what attributes an op has', () => {
    const { x, conv } = Conv('x', '_', undefined, { group: 1 }).as('conv').match(nodes, product) ?? {};
    expectTypeOf(x).toEqualTypeOf<Value | undefined>();
    expectTypeOf(conv).toEqualTypeOf<OpNode<'Conv'> | undefined>();
    // @ts-expect-error Relu has no attributes
    Relu('x', { group: 1 });
  });
});
