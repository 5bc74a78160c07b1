/** The page's entry: connects what one does (a digit, its neighbours, the switch) with what one sees. */
import { showBuildError } from './build-error.ts';
import { loadDigits, type TestDigits } from './digits.ts';
import { find } from './dom.ts';
import { createPad } from './drawing/pad.ts';
import { KeyRequired } from './key.ts';
import { latest } from './timing.ts';
import { createLayers } from './layers/layers.ts';
import { explain, type Explanation, type Statistics } from './model.ts';
import type { Pixels } from './pixels.ts';
import { createAnswer } from './views/answer.ts';
import { createKeyForm } from './views/key-form.ts';
import { createNeighbours } from './views/neighbours.ts';
import { createPicks } from './views/picks.ts';

/** The digit on the pad at first; index.html sets six others of its kind beside it. */
const FIRST_DIGIT = 7;

function start({ asked, neighbours: pool }: TestDigits): void {
  const answer = createAnswer(find('#answer', HTMLElement));
  const layers = createLayers(find('#layers', HTMLElement));
  const pad = createPad(find('#pad', HTMLElement), draw);
  const picks = createPicks(find('#picks', HTMLElement), asked, ({ pixels }) => {
    pad.show(pixels);
    change(pixels);
  });
  const neighbours = createNeighbours(find('#neighbours', HTMLElement), pool, ask);
  const keyForm = createKeyForm(ask);
  let digit: Pixels | undefined;
  let explanation: Explanation | undefined;

  const statistics = (): Statistics => (find('[value=batch]', HTMLInputElement).checked ? 'batch' : 'running');

  function draw(drawing: Pixels | undefined): void {
    picks.release();
    change(drawing);
  }
  function change(pixels: Pixels | undefined): void {
    digit = pixels;
    answer.reset();
    ask();
  }
  function show(): void {
    if (explanation === undefined) return;
    answer.show(explanation, statistics());
    layers.show(explanation.layers, statistics());
  }
  const explainLatest = latest(async (batch: readonly Pixels[]) => {
    try {
      const received = await explain(batch);
      if (digit === undefined || batch[0] !== digit) return;
      explanation = received;
      answer.note(explanation);
      show();
    } catch (error) {
      if (error instanceof KeyRequired) keyForm.show();
      answer.say(`The network did not answer. ${error instanceof Error ? error.message : ''}`);
    }
  });
  function ask(): void {
    const others = neighbours.chosen();
    picks.ask(others, statistics());
    if (digit !== undefined) {
      explainLatest([digit, ...others.map(({ pixels }) => pixels)]);
      return;
    }
    explanation = undefined;
    answer.clear();
    answer.say('Draw a digit, or pick one.');
  }

  find('#statistics', HTMLElement).addEventListener('change', () => {
    document.body.dataset['statistics'] = statistics();
    show();
    picks.ask(neighbours.chosen(), statistics());
  });
  picks.pick(FIRST_DIGIT);
}

// A Worker that cannot be asked says so elsewhere.
showBuildError().catch(() => undefined);
try {
  start(await loadDigits());
} catch (error) {
  find('#verdict', HTMLElement).textContent = 'The page could not start; reload it.';
  throw error;
}
