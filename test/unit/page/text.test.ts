import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../worker/page/api/answer.ts';
import type { Layer } from '../../../worker/page/api/explain.ts';
import { verdict } from '../../../worker/page/batch-norm/verdict.ts';
import { decimal, number, percent, powerOfTen } from '../../../worker/page/format.ts';
import { modelIn } from '../../../worker/page/models/address.ts';
import { inWordsOfThePage } from '../../../worker/page/train/wording.ts';

describe('numbers on the page', () => {
  it.each([
    [1, '100.0 %'],
    [0.9999, '> 99.9 %'],
    [0.5, '50.0 %'],
    [0.0001, '< 0.1 %'],
    [0, '0.0 %'],
  ])('writes the share %d as %s', (share, text) => {
    expect(percent(share)).toBe(text);
  });

  it.each([
    [-1.234, '\u22121.23'],
    [0.00316, '0.003'],
    [-0.0001, '0.000'],
    [0, '0.00'],
    [12.345, '12.3'],
    [-123.4, '\u2212123'],
  ])('writes the number %d as %s', (value, text) => {
    expect(decimal(value)).toBe(text);
  });

  it.each([
    [431234.567, '431,235'],
    [1962, '1962'],
    [43.123456, '43.123'],
    [-41.2, '\u221241.2'],
    [0, '0'],
    [0.00001234, '1.234e\u22125'],
    [2e18, '2.000e+18'],
  ])('writes the answer %d as %s', (value, text) => {
    expect(number(value)).toBe(text);
  });

  it.each([
    [-5, '10⁻⁵'],
    [24, '10²⁴'],
  ])('writes the power %d of ten as %s', (exponent, text) => {
    expect(powerOfTen(exponent)).toBe(text);
  });
});

function answer(label: string): Answer {
  return { kind: 'classes', label, shares: new Map([[label, 0.75]]), warnings: [] };
}
const answers = (running: string, batch: string) => ({ running: answer(running), batch: answer(batch) });
const layer = (...shape: number[]) => ({ name: 'bn1/BatchNormalization', shape }) as unknown as Layer;

describe('the verdict', () => {
  it.each([
    ['running', 1, answers('7', '8'), '7, alone.'],
    ['running', 7, answers('7', '8'), '7, whoever comes along: 6 neighbours moved nothing'],
    ['batch', 2, answers('7', '0'), 'its 1 neighbour turned 7 into 0'],
    ['batch', 7, answers('7', '7'), 'Still 7. Try'],
    ['batch', 7, undefined, 'Every layer normalized with this row and its 6 neighbours.'],
  ] as const)('with %s statistics among %i: %#', (statistics, size, both, text) => {
    expect(verdict({ batch_size: size, layers: [layer(16)] }, both, statistics, 'row')).toContain(text);
  });

  it('says of a sample alone what is true of dense layers, or of convolutions', () => {
    const alone = (...layers: Layer[]) => verdict({ batch_size: 1, layers }, answers('7', '8'), 'batch', 'picture');
    expect(alone(layer(16, 14, 14), layer(32))).toContain('each channel of bn1 holds one value: σ² is 0 there');
    expect(alone(layer(16, 14, 14))).toContain('normalized with the values of this picture itself, 14 × 14 of them');
    expect(alone(layer(16, 14, 14))).not.toContain('σ² is 0');
  });
});

describe('messages of the command, on the training page', () => {
  it.each([
    [
      'a.csv: expected two classes, got one; --label names another column',
      'a.csv: expected two classes, got one; “Predict” names another column',
    ],
    ['training: got loss NaN; try a lower --learning-rate', 'training: got loss NaN; try a lower “Learning rate”'],
    [
      'a.csv: line 3: expected 2 cells, got 1; --delimiter, --skip-rows and --comment say how it is to be read',
      'a.csv: line 3: expected 2 cells, got 1; with bn-edge train, --delimiter, --skip-rows and --comment say how it is to be read',
    ],
    [
      'the first row holds numbers only, and is taken for names: --no-header takes it as data',
      'the first row holds numbers only, and is taken for names: with bn-edge train, --no-header takes it as data',
    ],
    [
      'column "a; --label \\"b": expected 1, got ""; --ignore a leaves it out',
      'column "a; --label \\"b": expected 1, got ""; with bn-edge train, --ignore a leaves it out',
    ],
    ['link: depth: expected 1 to 8, got "--9"', 'link: depth: expected 1 to 8, got "--9"'],
  ])('%s', (message, said) => {
    expect(inWordsOfThePage(message)).toBe(said);
  });
});

describe('the address of a model', () => {
  it.each([
    ['#/churn', { name: 'churn' }],
    ['#/a%20b/versions/2', { name: 'a b', version: '2' }],
    ['#/50%', { name: '50%' }],
    ['', undefined],
    ['#churn', undefined],
  ])('is read from %j', (hash, address) => {
    expect(modelIn(hash)).toEqual(address);
  });
});
