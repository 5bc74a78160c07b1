/** What the experiments show in the terminal: a bar for each that runs, a line for each that has ended. */
import { MultiBar, type SingleBar } from 'cli-progress';
import type { ProcessEvents } from './processes.ts';

/** Without a terminal there are only the lines. */
export function showProgress(print: (line: string) => void): ProcessEvents & { readonly stop: () => void } {
  const screen = new MultiBar({
    format: '{experiment} {bar} {value} of {total}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
  });
  const bars = new Map<string, SingleBar>();
  return {
    onStart: ({ name }) => {
      if (!process.stdout.isTTY) return;
      bars.set(name, screen.create(1, 0, { experiment: name.padEnd(22) }));
    },
    onProgress: ({ name }, { done, total }) => {
      bars.get(name)?.setTotal(total);
      bars.get(name)?.update(done);
    },
    onEnd: ({ name }, seconds) => {
      const bar = bars.get(name);
      if (bar) screen.remove(bar);
      const line = `${name.padEnd(22)} ${seconds.toFixed(0)} s`;
      if (process.stdout.isTTY) screen.log(`${line}\n`);
      else print(line);
    },
    stop: () => {
      screen.stop();
    },
  };
}
