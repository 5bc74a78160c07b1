/** Shows the answer to what is on screen: in a few words, with a bar for each class, and with warnings. */
import type { Answer } from '../api/answer.ts';
import { card, make } from '../dom.ts';
import { createBars, shownShares } from './bars.ts';
import { headlineOf } from './headline.ts';

export interface AnswerCard {
  readonly root: HTMLElement;
  /** Shows the same in one line while the card is out of sight. */
  readonly strip: HTMLElement;
  readonly show: (answer: Answer) => void;
  /**
   * Shows a text in place of an answer.
   * @param isError whether something went wrong
   */
  readonly say: (text: string, isError?: boolean) => void;
}

export function createAnswerCard(): AnswerCard {
  const text = make('b');
  const more = make('span');
  const headline = make('p', { className: 'headline', role: 'status' }, text, ' ', more);
  const bars = createBars();
  const outputs = make('div', { className: 'outputs' });
  const warnings = make('ul', { className: 'warnings' });
  const message = make('p', { className: 'message', role: 'status' }, 'Asking the model…');
  const root = card('answer', 'The answer', headline, message, warnings, bars.root, outputs);
  root.id = 'answer';
  const strip = make('p', { className: 'strip', ariaHidden: 'true' });
  headline.hidden = true;
  new IntersectionObserver(([entry]) => {
    strip.classList.toggle('is-needless', entry?.isIntersecting);
  }).observe(headline);

  return {
    root,
    strip,
    show(answer) {
      const words = headlineOf(answer);
      headline.hidden = false;
      headline.classList.toggle('long', words.text.length > 18);
      text.textContent = words.text;
      more.textContent = words.more;
      message.textContent = '';
      message.classList.remove('is-error');
      root.classList.remove('is-stale');
      warnings.replaceChildren(...answer.warnings.map((warning) => make('li', {}, warning)));
      showBars(answer);
      outputs.replaceChildren(...(answer.kind === 'tensors' ? answer.outputs.map(outputOf) : []));
      strip.replaceChildren(make('b', {}, words.text), ' ', words.more);
    },
    say(words, isError = false) {
      message.textContent = words;
      message.classList.toggle('is-error', isError);
      root.classList.toggle('is-stale', isError);
      if (isError) return;
      headline.hidden = true;
      warnings.replaceChildren();
      bars.root.hidden = true;
      outputs.replaceChildren();
      strip.replaceChildren();
    },
  };

  function showBars(answer: Answer): void {
    bars.root.hidden = answer.kind !== 'classes' || answer.shares.size === 0;
    if (answer.kind !== 'classes') return;
    bars.show(shownShares(answer.shares), answer.label);
  }
}

const MAX_NUMBERS = 200;

function outputOf({
  name,
  shape,
  data,
}: {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}): HTMLElement {
  const shown = data.slice(0, MAX_NUMBERS).map(String).join('  ');
  const rest = data.length > MAX_NUMBERS ? ` … ${data.length - MAX_NUMBERS} more` : '';
  return make(
    'div',
    {},
    make('h3', {}, `${name} [${shape.join(', ')}]`),
    make('p', { className: 'numbers' }, shown, rest),
  );
}
