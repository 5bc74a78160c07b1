/** Shows the answer by the chosen statistics beside that by the running ones, and the sample's answers so far. */
import type { BothAnswers, Statistics } from '../api/explain.ts';
import { createBars, shownShares } from '../answer/bars.ts';
import { headlineOf } from '../answer/headline.ts';
import { find } from '../dom.ts';

export interface Comparison {
  /** Discards the answers so far, because the sample is another one. */
  readonly reset: () => void;
  readonly show: (answers: BothAnswers | undefined, statistics: Statistics, verdict: string) => void;
  /** Shows a text in place of the answers. */
  readonly say: (text: string) => void;
}

const MAX_LISTED = 6;

export function createComparison(root: HTMLElement): Comparison {
  const status = find('.verdict', HTMLElement, root);
  const headline = find('.headline b', HTMLElement, root);
  const more = find('.headline span', HTMLElement, root);
  const pastList = find('.seen', HTMLElement, root);
  const bars = createBars();
  find('.bars-place', HTMLElement, root).replaceChildren(bars.root);
  const pastAnswers: Readonly<Record<Statistics, Set<string>>> = { running: new Set(), batch: new Set() };

  function writePast(): void {
    for (const kind of ['running', 'batch'] as const) {
      const all = [...pastAnswers[kind]];
      find(`[data-of=${kind}]`, HTMLElement, root).textContent = all.slice(-MAX_LISTED).join(', ') || '–';
    }
    // As long as the switch was not used, there is nothing to compare.
    pastList.hidden = pastAnswers.batch.size === 0;
  }
  writePast();
  return {
    reset() {
      pastAnswers.running.clear();
      pastAnswers.batch.clear();
      writePast();
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
        bars.show(shownShares(answer.shares, also === null ? [] : [also]), answer.label, marks);
      }
      pastAnswers[statistics].add(text);
      writePast();
    },
    say(text) {
      status.textContent = text;
      for (const part of [headline, more]) part.textContent = '';
      bars.root.hidden = true;
    },
  };
}
