/** Dates and times are parsed as people write them, and become the right numbers. */
import { describe, expect, it } from 'vitest';
import { type Column, type DateOrder, ordersOf, parseDate, rowPreparer } from '../../../training/columns/index.ts';

const day = (year: number, month: number, day: number, hour?: number) => ({ year, month, day, hour, hasDay: true });

describe('a date', () => {
  it.each<[string, DateOrder, object]>([
    ['2024-05-17', 'YMD', day(2024, 5, 17)],
    ['2024/5/7', 'YMD', day(2024, 5, 7)],
    ['2024-05-17T18:30:00.5Z', 'YMD', day(2024, 5, 17, 18.5)],
    ['2024-05-17 06:15+02:00', 'YMD', day(2024, 5, 17, 6.25)],
    ['17.05.2024', 'DMY', day(2024, 5, 17)],
    ['05/17/2024 6:30 PM', 'MDY', day(2024, 5, 17, 18.5)],
    ['5/7/24', 'MDY', day(2024, 5, 7)],
    ['5/7/24', 'DMY', day(2024, 7, 5)],
    ['31.12.99', 'DMY', day(1999, 12, 31)],
    ['17 May 2024', 'YMD', day(2024, 5, 17)],
    ['17-Sep-2024', 'YMD', day(2024, 9, 17)],
    ['Fri, 17 May 2024 00:00:00 GMT', 'YMD', day(2024, 5, 17, 0)],
    ['May 17, 2024', 'YMD', day(2024, 5, 17)],
    ['12:45', 'YMD', { year: 0, month: 1, day: 1, hour: 12.75, hasDay: false }],
    ['12:00 am', 'YMD', { year: 0, month: 1, day: 1, hour: 0, hasDay: false }],
  ])('%s as %s', (text, order, date) => {
    expect(parseDate(text, order)).toEqual(date);
  });

  it.each([
    '2024-13-01',
    '2023-02-29',
    '2024-05-17 25:00',
    '17.05',
    '1.5',
    '3-4',
    'May',
    '99:99',
    'ID-00000',
    '2024-05-17x',
    '',
  ])('%o is none', (text) => {
    expect(parseDate(text, 'MDY')).toBeUndefined();
  });

  it.each([
    ['03/04/2024', ['MDY', 'DMY']],
    ['13/04/2024', ['DMY']],
    ['04/13/2024', ['MDY']],
    ['04.03.2024', ['DMY']],
    ['2024-01-02', ['YMD', 'DMY', 'MDY']],
    ['word', []],
  ])('%s may be read as %j', (text, orders) => {
    expect(ordersOf(text)).toEqual(orders);
  });
});

describe('the numbers of a date', () => {
  const column: Column = {
    kind: 'date',
    name: 'day',
    parts: ['year', 'season', 'day of month', 'weekday', 'hour'],
    order: 'YMD',
    years: [2020, 2023],
    fill: null,
  };
  const { width, prepare } = rowPreparer([column]);
  const numbers = (text: string): readonly number[] => {
    const into = new Float32Array(width);
    expect(prepare([text], into, 0)).toBeUndefined();
    return [...into];
  };
  const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 2) as number);

  it('are the year and points on circles', () => {
    expect(numbers('2021-01-01T06:00')).toEqual(
      close([2021, 0, 1, 0, 1, Math.sin((2 * Math.PI * 4) / 7), Math.cos((2 * Math.PI * 4) / 7), 1, 0]),
    );
    // A Monday in the middle of the year, at noon.
    expect(numbers('2022-07-04 12:00')).toEqual(close([2022, -0.024, -1, 0.571, 0.821, 0, 1, 0, -1]));
  });

  it('of the first hundred years are on the weekday and in the season of those years', () => {
    // The Gregorian calendar repeats every 400 years.
    expect(numbers('0024-03-01 12:00').slice(1)).toEqual(numbers('2024-03-01 12:00').slice(1));
  });

  it('keep to the years of training, so that a later one is like the last', () => {
    expect(numbers('2031-03-03')[0]).toBe(2023);
    expect(numbers('1999-03-03')[0]).toBe(2020);
  });

  it('are none for a time without a day', () => {
    expect(prepare(['12:30'], new Float32Array(width), 0)).toMatchObject({ objection: 'not a date' });
  });
});
