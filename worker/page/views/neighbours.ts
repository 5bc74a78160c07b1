/** Who shares the mini-batch: two sliders choose a run of test digits, sorted by class and closed to a ring. */
import { find, make } from '../dom.ts';
import { drawDigit, type TestDigit } from '../digits.ts';
import { plural } from '../format.ts';

export interface Neighbours {
  chosen(): readonly TestDigit[];
}

export function createNeighbours(root: HTMLElement, pool: readonly TestDigit[], onChange: () => void): Neighbours {
  const count = find('#neighbour-count', HTMLInputElement, root);
  const first = find('#neighbour-first', HTMLInputElement, root);
  const crowd = find('.crowd', HTMLElement, root);
  const cells = pool.map(({ pixels }) => make('span', {}, withClass(drawDigit(pixels), 'ink')));
  crowd.append(...cells);

  const isChosen = (i: number): boolean => (i - first.valueAsNumber + pool.length) % pool.length < count.valueAsNumber;
  const chosen = (): readonly TestDigit[] => pool.filter((_, i) => isChosen(i));

  function show(): void {
    cells.forEach((cell, i) => cell.classList.toggle('chosen', isChosen(i)));
    const summary = summarize(chosen());
    outputOf(root, count).value = count.value === '0' ? 'none: alone' : count.value;
    outputOf(root, first).value = summary;
    crowd.ariaLabel = `${plural(count.valueAsNumber, 'neighbour')} ${summary}`;
    first.disabled = count.value === '0';
  }
  root.addEventListener('input', () => {
    show();
    onChange();
  });
  show();
  return { chosen };
}

/** Which classes: `1s and 2s`, `a mix of 6 digits`. */
function summarize(digits: readonly TestDigit[]): string {
  const classes = [...new Set(digits.map(({ label }) => `${label}s`))];
  if (classes.length > 3) return `a mix of ${classes.length} digits`;
  return new Intl.ListFormat('en').format(classes) || '–';
}

function outputOf(root: HTMLElement, { id }: HTMLInputElement): HTMLOutputElement {
  return find(`output[for=${id}]`, HTMLOutputElement, root);
}

function withClass<E extends Element>(element: E, name: string): E {
  element.classList.add(name);
  return element;
}
