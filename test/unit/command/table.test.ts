/** Lists that take several lines of a terminal. */
import { expect, test } from 'vitest';
import { inLines } from '../../../exporter/command/table.ts';

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
