/**
 * Shows the progress of the experiments in the terminal: the share of each that runs, and a line for each that has
 * ended.
 */
import { stageLine } from '../../exporter/command/stage.ts';
import type { ProcessEvents } from './processes.ts';

/** Shows the shares; without a terminal they are printed every ten seconds. */
export function showProgress(): ProcessEvents & Disposable {
  const line = stageLine('experiments');
  const shares = new Map<string, number>();
  const show = () => {
    line.show([...shares].map(([name, share]) => `${name} ${Math.floor(100 * share)} %`).join(', '));
  };
  return {
    onStart: ({ name }) => {
      shares.set(name, 0);
      show();
    },
    onProgress: ({ name }, { done, total }) => {
      shares.set(name, done / total);
      show();
    },
    onEnd: ({ name }, seconds) => {
      shares.delete(name);
      line.print(`${name.padEnd(22)} ${seconds.toFixed(0)} s`);
      show();
    },
    [Symbol.dispose]: line[Symbol.dispose],
  };
}
