/** Offers one test digit of each class to pick. */
import type { PictureInfo } from '../../api/model.ts';
import { make } from '../../dom.ts';
import type { TestDigit } from './digits.ts';
import { drawPixels } from './draw-pixels.ts';

export interface Picks {
  readonly root: HTMLElement;
  readonly pick: (index: number) => void;
  /** Unpicks the digit, because the visitor draws. */
  readonly release: () => void;
}

export function createPicks(
  digits: readonly TestDigit[],
  info: PictureInfo,
  onPick: (digit: TestDigit) => void,
): Picks {
  const picks = digits.map((digit) => {
    const input = make('input', { type: 'radio', name: 'pick', ariaLabel: `test digit ${digit.label}` });
    input.addEventListener('change', () => {
      onPick(digit);
    });
    return { input, label: make('label', {}, input, drawPixels(digit.pixels, info)) };
  });
  const row = make('div', { className: 'pick-row' }, ...picks.map(({ label }) => label));
  return {
    root: make('fieldset', { className: 'picks' }, make('legend', {}, 'or pick a test digit'), row),
    pick: (index) => {
      picks[index]?.input.click();
    },
    release: () => {
      for (const { input } of picks) input.checked = false;
    },
  };
}
