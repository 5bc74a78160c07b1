/** An image's session takes and returns tensors in the protocol's terms, and limits the batch. */
import { describe, expect, it } from 'vitest';
import type { Session, Tensor, ValueInfo } from '../../../worker/image.ts';
import { sessionOn } from '../../../worker/protocol/session.ts';
import { readInputs } from '../../../worker/protocol/tensors.ts';

const value = (name: string, shape: ValueInfo['shape']): ValueInfo => ({ name, dtype: 'float32', shape });
const one: Tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) };

const session = (inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Session => ({
  name: 'net',
  inputs,
  outputs,
  run: (_, names = []) => Object.fromEntries(names.map((name) => [name, one])),
});

describe('outputs', () => {
  it('come in the order asked for, also where their names are whole numbers', () => {
    const names = ['10', '2', 'y'];
    const outputs = names.map((name) => value(name, ['n']));
    expect([
      ...sessionOn(session([value('x', ['n'])], outputs))
        .run(new Map(), names)
        .keys(),
    ]).toEqual(names);
  });
});

describe('the limit of a batch', () => {
  const max = 4;
  const read = (shape: ValueInfo['shape'], output: ValueInfo['shape']) => {
    const { inputs } = sessionOn(session([value('x', shape)], [value('y', output)]));
    const request = { name: 'x', datatype: 'FP32' as const, shape: [5, 2], data: new Array<number>(10).fill(0) };
    return readInputs([request], [undefined], inputs, max).get('x')?.shape;
  };

  it.each<[ValueInfo['shape'], ValueInfo['shape']]>([
    [
      ['n', 2],
      ['n', 3],
    ],
    [
      [-1, 2],
      [-1, 3],
    ],
    [
      ['n', 2],
      [-1, 3],
    ],
  ])('holds for an input %j and an output %j', (input, output) => {
    expect(() => read(input, output)).toThrow('tensor x: expected a batch of at most 4, got 5');
  });

  it('does not hold for the steps of a sequence, with which no output begins', () => {
    expect(read(['time', 2], [4, 'batch'])).toEqual([5, 2]);
  });
});
