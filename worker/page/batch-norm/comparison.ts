/**
 * Shows the answer by the chosen statistics beside that of the running ones, and the answers that the sample got so
 * far.
 */
import type { BothAnswers, Statistics } from '../api/explain.ts';
import { createBars, mostOf } from '../answer/bars.ts';
import { headlineOf } from '../answer/headline.ts';
import { find } from '../dom.ts';

export interface Comparison {
  /** Forgets the answers so far, because the sample is another one. */
  readonly reset: () => void;
  readonly show: (answers: BothAnswers | undefined, statistics: Statistics, verdict: string) => void;
  readonly say: (text: string) => void;
}

const MAX_SEEN = 6;

export function createComparison(root: HTMLElement): Comparison {
  const status = find('.verdict', HTMLElement, root);
  const headline = find('.headline b', HTMLElement, root);
  const more = find('.headline span', HTMLElement, root);
  const seenList = find('.seen', HTMLElement, root);
  const bars = createBars();
  find('.bars-place', HTMLElement, root).replaceChildren(bars.root);
  const seen: Readonly<Record<Statistics, Set<string>>> = { running: new Set(), batch: new Set() };

  function writeSeen(): void {
    for (const kind of ['running', 'batch'] as const) {
      const all = [...seen[kind]];
      find(`[data-of=${kind}]`, HTMLElement, root).textContent = all.slice(-MAX_SEEN).join(', ') || '–';
    }
    // As long as the switch was not used, there is nothing to compare.
    seenList.hidden = seen.batch.size === 0;
  }
  writeSeen();
  return {
    reset() {
      seen.running.clear();
      seen.batch.clear();
      writeSeen();
    },
    show(answers, statistics, verdict) {
      status.textContent = verdict;
      const answer = answers?.[statistics];
      if (!answers || !answer) return;
      const { text, more: beside } = headlineOf(answer);
      headline.textContent = text;
      more.textContent = beside;
      bars.root.hidden = answer.kind !== 'classes';
      if (answer.kind === 'classes' && answers.running.kind === 'classes') {
        const marks = statistics === 'batch' ? answers.running.shares : undefined;
        const also = answers.running.label;
        bars.show(mostOf(answer.shares, also === null ? [] : [also]), answer.label, marks);
      }
      seen[statistics].add(text);
      writeSeen();
    },
    say(text) {
      status.textContent = text;
    },
  };
}
