/** From the flags about pictures and arrays to what is kept of them. */
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addDataOptions, type DataFlags, takeDataSource } from '../../../exporter/command/data-options.ts';

function sourceOf(...flags: readonly string[]) {
  const silent = { writeErr: () => undefined };
  const command = addDataOptions(new Command('train')).exitOverride().configureOutput(silent);
  command.parse(['--data', 'd', ...flags], { from: 'user' });
  return takeDataSource(command.opts<DataFlags>()).source;
}

describe('the flags about pictures and arrays', () => {
  it.each<[string[], object]>([
    [[], {}],
    [['--fit', 'contain', '--skip-broken'], { fit: 'contain', skipBroken: true }],
    [['--background', 'black'], { background: '#000000' }],
    [['--background', '#0Fa'], { background: '#00ffaa' }],
    [['--background', '20A040'], { background: '#20a040' }],
    [['--pictures', 'drawing', '--image-size', '28'], { pictures: 'drawing', size: { rows: 28, columns: 28 } }],
    [['--inputs', 'a', '--label', 'b', '--layout', 'NHWC'], { inputs: 'a', label: 'b', layout: 'NHWC' }],
  ])('%j say %j', (flags, source) => {
    expect(sourceOf(...flags)).toEqual({ path: 'd', ...source });
  });

  it.each([
    ['--background', 'mauve', /Expected white, black or a colour such as #20a040/],
    ['--background', '#1234', /Expected white, black or a colour such as #20a040/],
    ['--fit', 'crop', /Allowed choices are stretch, cover, contain/],
    ['--layout', 'HWC', /Allowed choices are NCHW, NHWC/],
  ])('%s %s is refused', (flag, value, message) => {
    expect(() => sourceOf(flag, value)).toThrow(message);
  });
});
