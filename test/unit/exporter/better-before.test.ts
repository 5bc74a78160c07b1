/** An export says when it replaces a better model. */
import { expect, it } from 'vitest';
import { betterBefore } from '../../../exporter/model/better-before.ts';
import type { ExportedCard } from '../../../exporter/model/card.ts';

const card = (running: number, { sha256 = 'abc', name = 'accuracy', better = 'higher' } = {}): ExportedCard =>
  ({
    name: 'churn',
    version: '1',
    explain: false,
    statistics: 'running',
    scores: { name, better, test: { running, population: 0, batchOfOne: 0 }, baseline: 0.5 },
    training: {
      data: { name: 'churn.csv', train: 3, validation: 2, test: 1, sha256 },
      objective: name === 'accuracy' ? 'binary' : 'mse',
    },
  }) as unknown as ExportedCard;

const error = { name: 'RMSE', better: 'lower' };

it.each<[what: string, before: ExportedCard, now: ExportedCard, line: string | undefined]>([
  ['a better accuracy', card(0.971), card(0.91), 'accuracy of 97.10 % on the same data, this one 91.00 %'],
  ['a smaller error', card(1.5, error), card(2, error), 'RMSE of 1.500 on the same data, this one 2.000'],
  ['the same', card(0.9), card(0.9), undefined],
  ['a worse accuracy', card(0.9), card(0.91), undefined],
  ['a larger error', card(2, error), card(1.5, error), undefined],
  ['a better score on other data', card(0.971, { sha256: 'x' }), card(0.91), undefined],
  ['another score', card(2, error), card(0.91), undefined],
  ['no score', { ...card(1), scores: undefined } as unknown as ExportedCard, card(0.91), undefined],
])('%s before: %#', (_, before, now, line) => {
  const said = betterBefore(before, now);
  if (line === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(line);
});
