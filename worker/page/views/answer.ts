/** The answer to the digit: a bar for each class, what to make of it, and the answers it got so far. */
import { find } from '../dom.ts';
import { percent } from '../format.ts';
import { type Explanation, probabilities, type Statistics } from '../model.ts';
import { verdict } from './verdict.ts';

export interface Answer {
  /** The digit is another one; its answers so far are forgotten. */
  reset(): void;
  /** Takes note of an answer to the same digit. */
  note(explanation: Explanation): void;
  show(explanation: Explanation, statistics: Statistics): void;
  say(text: string): void;
  clear(): void;
}

export function createAnswer(root: HTMLElement): Answer {
  const bars = [...root.querySelectorAll<HTMLElement>('.bars li')];
  const status = find('#verdict', HTMLElement, root);
  const seen: Readonly<Record<Statistics, Set<string>>> = { running: new Set(), batch: new Set() };

  function writeSeen(): void {
    for (const kind of ['running', 'batch'] as const) {
      find(`[data-of=${kind}]`, HTMLElement, root).textContent = [...seen[kind]].join(' ') || '–';
    }
  }
  return {
    reset() {
      seen.running.clear();
      seen.batch.clear();
      writeSeen();
    },
    note({ predictions: { running, batch } }) {
      seen.running.add(running.label);
      seen.batch.add(batch.label);
      writeSeen();
    },
    show(explanation, statistics) {
      const { predictions } = explanation;
      const fixed = probabilities(predictions.running);
      const shares = probabilities(predictions[statistics]);
      bars.forEach((bar, i) => {
        writeBar(bar, shares[i] ?? 0, fixed[i] ?? 0);
        bar.classList.toggle('best', String(i) === predictions[statistics].label);
      });
      status.textContent = verdict(explanation, statistics);
    },
    say(text) {
      status.textContent = text;
    },
    clear() {
      for (const bar of bars) {
        writeBar(bar, 0, 0);
        bar.classList.remove('best');
        find('span', HTMLElement, bar).textContent = '–';
      }
    },
  };
}

function writeBar(bar: HTMLElement, share: number, fixed: number): void {
  bar.style.setProperty('--share', String(share));
  bar.style.setProperty('--fixed', String(fixed));
  find('span', HTMLElement, bar).textContent = percent(share);
}
