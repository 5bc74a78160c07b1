import { describe, expect, it } from 'vitest';
import { decimal, percent } from '../../../worker/page/format.ts';
import type { Explanation } from '../../../worker/page/model.ts';
import { verdict } from '../../../worker/page/views/verdict.ts';

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
});

function explanation(size: number, running: string, batch: string): Explanation {
  const prediction = (label: string) => ({ label, top: [{ index: Number(label), probability: 0.75 }] });
  return {
    batch_size: size,
    predictions: { running: prediction(running), batch: prediction(batch) },
    layers: [],
  };
}

describe('the verdict', () => {
  it.each([
    ['running', explanation(1, '7', '8'), 'A 7, alone.'],
    ['running', explanation(7, '7', '8'), 'A 7, whoever comes along: 6 neighbours moved nothing'],
    ['batch', explanation(1, '7', '8'), 'every digit gets this answer, 8'],
    ['batch', explanation(2, '7', '0'), 'its 1 neighbour turned the 7 into a 0'],
    ['batch', explanation(7, '7', '7'), 'Still a 7, at 75.0 % instead of 75.0 %'],
  ] as const)('with %s statistics: %#', (statistics, facts, text) => {
    expect(verdict(facts, statistics)).toContain(text);
  });
});
