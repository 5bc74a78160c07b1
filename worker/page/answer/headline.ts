/** Writes an answer in a few words. */
import type { Answer } from '../api/answer.ts';
import { number, percent } from '../format.ts';

export interface Headline {
  readonly text: string;
  /** Says how sure the model is, or adds what else belongs to the answer. */
  readonly more: string;
}

export function headlineOf(answer: Answer): Headline {
  switch (answer.kind) {
    case 'classes': {
      const { label, applying, shares } = answer;
      if (applying)
        return { text: applying.join(', ') || 'none', more: applying.length === 0 ? 'no label applies' : 'apply' };
      if (label === null) return { text: 'no answer', more: '' };
      const share = shares.get(label);
      return { text: label, more: share === undefined ? '' : percent(share) };
    }
    case 'numbers': {
      const written = answer.values.map((value) => (value === null ? 'not a number' : number(value)));
      const between = answer.interval ? answer.interval.map(number).join(' to ') : '';
      return {
        text: written.slice(0, 6).join('  '),
        more: written.length > 6 ? `and ${written.length - 6} more` : between,
      };
    }
    case 'tensors':
      return { text: answer.outputs.map(({ name }) => name).join(', '), more: '' };
  }
}
