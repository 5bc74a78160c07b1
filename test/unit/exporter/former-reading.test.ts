/** An export keeps what the user chose for the former one, and nothing that merely came of its data. */
import { expect, it } from 'vitest';
import { type FormerReading, wishFor } from '../../../exporter/model/quality.ts';
import type { TrainedModel } from '../../../training/checkpoint/index.ts';
import type { AnswerRuleOptions } from '../../../training/objective/index.ts';

const numbers = { classes: [], record: { config: { objective: { kind: 'mse' } } } } as unknown as TrainedModel;
const intervals = (...levels: readonly number[]): NonNullable<FormerReading['intervals']> =>
  levels.map((level) => ({ level, halfWidth: 1, coverage: level }));

it.each<[what: string, former: FormerReading, asked: AnswerRuleOptions['interval'], wish: AnswerRuleOptions]>([
  ['no card', {}, undefined, {}],
  ['another level', { interval: 0.8, intervals: intervals(0.5, 0.8, 0.9) }, undefined, { interval: 0.8 }],
  [
    'the level of 0.9, which fewer rows may not give',
    { interval: 0.9, intervals: intervals(0.5, 0.8, 0.9) },
    undefined,
    {},
  ],
  ['no interval by choice', { intervals: intervals(0.5, 0.8, 0.9) }, undefined, { interval: false }],
  ['no interval for want of rows', { intervals: intervals(0.5, 0.8) }, undefined, {}],
  [
    'a level that the user no longer wants',
    { interval: 0.8, intervals: intervals(0.8, 0.9) },
    0.95,
    { interval: 0.95 },
  ],
  ['a level, and none is wanted now', { interval: 0.8, intervals: intervals(0.8, 0.9) }, false, { interval: false }],
])('a former card with %s', (_, former, interval, wish) => {
  expect(wishFor({ interval }, former, numbers, () => undefined)).toEqual(wish);
});
