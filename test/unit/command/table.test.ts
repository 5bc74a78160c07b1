/** Lists are broken into lines that fit a terminal. */
import { describe, expect, it, test } from 'vitest';
import { fittedTable, hanging, inLines } from '../../../exporter/command/table.ts';

const scores = ['accuracy 79.41 % (always "Adelie": 44.12 %)', 'F1 0.5877', 'AUC 0.9741'];

test.each<[string, Parameters<typeof inLines>, readonly string[]]>([
  ['what fits is one line', [scores, { start: 'a: ', between: '   ' }], [`a: ${scores.join('   ')}`]],
  [
    'what does not goes on in the next, indented',
    [scores, { start: 'runs/enc/checkpoint.safetensors on 34 samples (test): ', between: '   ' }],
    ['runs/enc/checkpoint.safetensors on 34 samples (test):', `  ${scores.join('   ')}`],
  ],
  [
    'a list keeps its commas, and a part that is longer than a line is not cut',
    [['a 1', 'b'.repeat(90), 'c 2'], { start: 'line 7: ', between: ', ', indent: '    ' }],
    ['line 7: a 1,', `    ${'b'.repeat(90)},`, '    c 2'],
  ],
  ['nothing behind the start leaves it', [[], { start: 'line 7: no   ', between: ', ' }], ['line 7: no']],
])('%s', (_, args, lines) => {
  expect(inLines(...args).split('\n')).toEqual(lines);
});

describe('a table', () => {
  const head = ['column', 'values', 'what was done'];
  const layout = {
    left: head,
    yielding: [
      [2, 18],
      [1, 18],
    ] as const,
  };

  it('that fits has a line for each row', () => {
    const lines = fittedTable(head, [['x', '0 … 1', 'missing: median 0.5']], layout).split('\n');
    expect(lines).toEqual([
      '┌────────┬────────┬─────────────────────┐',
      '│ column │ values │ what was done       │',
      '│ x      │ 0 … 1  │ missing: median 0.5 │',
      '└────────┴────────┴─────────────────────┘',
    ]);
  });

  it('that is wider than a terminal has cells of several lines, and all of their words', () => {
    const cells = ['h', '0.005 … 0.994 in all of its rows', 'missing: median 0.52335, and the model is told of it'];
    const lines = fittedTable(head, [cells], layout).split('\n');
    expect(new Set(lines.map(({ length }) => length))).toEqual(new Set([80]));
    const words = lines.flatMap((line) => line.split('│')).flatMap((cell) => cell.trim().split(/\s+/));
    expect(words).toEqual(expect.arrayContaining(cells.flatMap((cell) => cell.split(' '))));
  });
});

it('what is said of a name stands below itself, in whole words', () => {
  const words = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
  const lines = hanging(`test accuracy   ${words}\nwrote           models/a`).split('\n');
  expect(lines.map((line) => line.slice(0, 16).trim())).toEqual(['test accuracy', '', '', '', 'wrote']);
  expect(lines.map((line) => line.slice(16)).join(' ')).toBe(`${words} models/a`);
  expect(lines.filter(({ length }) => length > 80)).toEqual([]);
});
