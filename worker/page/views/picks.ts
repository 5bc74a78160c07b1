/** One test digit of each class to pick, each with the answer that it gets among the present neighbours. */
import { find, make } from '../dom.ts';
import { drawDigit, type TestDigit } from '../digits.ts';
import { classify, type Statistics } from '../model.ts';
import { whenQuiet } from '../timing.ts';

export interface Picks {
  pick(index: number): void;
  /** No digit is picked: one draws. */
  release(): void;
  /** Asks for all answers again. */
  ask(neighbours: readonly TestDigit[], statistics: Statistics): void;
}

/** The answers cost ten requests, so they wait until the sliders rest. */
const QUIET_MS = 200;

export function createPicks(
  root: HTMLElement,
  digits: readonly TestDigit[],
  onPick: (digit: TestDigit) => void,
): Picks {
  const options = digits.map((digit) => createOption(digit, onPick));
  find('.pick-row', HTMLElement, root).append(...options.map(({ label }) => label));

  const askWhenQuiet = whenQuiet(
    QUIET_MS,
    async (isNewest, neighbours: readonly TestDigit[], statistics: Statistics) => {
      const labels = await answers(digits, neighbours, statistics).catch(() => []);
      if (!isNewest()) return;
      root.classList.remove('asking');
      options.forEach((option, i) => {
        option.answer(labels[i]);
      });
    },
  );
  return {
    pick(index) {
      options[index]?.input.click();
    },
    release() {
      for (const { input } of options) input.checked = false;
    },
    ask(neighbours, statistics) {
      root.classList.add('asking');
      askWhenQuiet(neighbours, statistics);
    },
  };
}

/** Running statistics answer all digits in one request, since none depends on another; a mini-batch is one digit's. */
async function answers(
  digits: readonly TestDigit[],
  neighbours: readonly TestDigit[],
  statistics: Statistics,
): Promise<readonly (string | undefined)[]> {
  const pictures = digits.map(({ pixels }) => pixels);
  if (statistics === 'running') return classify(pictures, statistics);
  const others = neighbours.map(({ pixels }) => pixels);
  return Promise.all(pictures.map(async (picture) => (await classify([picture, ...others], statistics))[0]));
}

function createOption(digit: TestDigit, onPick: (digit: TestDigit) => void) {
  const input = make('input', { type: 'radio', name: 'pick', ariaLabel: `test digit ${digit.label}` });
  input.addEventListener('change', () => {
    onPick(digit);
  });
  const badge = make('span', { className: 'badge' }, '·');
  const canvas = drawDigit(digit.pixels);
  canvas.classList.add('ink');
  return {
    input,
    label: make('label', {}, input, canvas, badge),
    answer(label: string | undefined): void {
      badge.textContent = label ?? '·';
      badge.classList.toggle('wrong', label !== undefined && label !== String(digit.label));
    },
  };
}
