/**
 * Chooses the neighbours that share the mini-batch: two sliders select a run of samples, which are sorted by kind and
 * closed to a ring.
 */
import { find, make } from '../dom.ts';
import { plural } from '../format.ts';
import type { Neighbour } from '../inputs/question.ts';

export interface Neighbours<Sample> {
  readonly chosen: () => readonly Sample[];
}

const FIRST_COUNT = 6;

/** @param noun the word for a sample */
export function createNeighbours<Sample>(
  root: HTMLElement,
  pool: readonly Neighbour<Sample>[],
  noun: string,
  onChange: () => void,
): Neighbours<Sample> {
  const count = find('[name=count]', HTMLInputElement, root);
  const first = find('[name=first]', HTMLInputElement, root);
  const crowd = find('.crowd', HTMLElement, root);
  const cells = pool.map(({ picture }) => make('span', {}, picture));
  crowd.replaceChildren(...cells);
  root.hidden = pool.length === 0;
  Object.assign(count, { max: String(pool.length), value: String(Math.min(FIRST_COUNT, pool.length)) });
  Object.assign(first, { max: String(Math.max(pool.length - 1, 0)), value: String(Math.floor(pool.length * 0.7)) });

  const isChosen = (i: number): boolean => (i - first.valueAsNumber + pool.length) % pool.length < count.valueAsNumber;
  const chosen = (): readonly Neighbour<Sample>[] => pool.filter((_, i) => isChosen(i));

  function show(): void {
    cells.forEach((cell, i) => cell.classList.toggle('chosen', isChosen(i)));
    const summary = summarize(chosen(), noun);
    outputOf(root, count).value = count.value === '0' ? 'none: alone' : count.value;
    outputOf(root, first).value = summary;
    crowd.ariaLabel = `${plural(count.valueAsNumber, 'neighbour')}: ${summary}`;
    first.disabled = count.value === '0';
  }
  root.addEventListener('input', () => {
    show();
    onChange();
  });
  show();
  return { chosen: () => chosen().map(({ sample }) => sample) };
}

/** Names the kinds of the neighbours: `1s and 2s`, or `digits of 6 kinds`. */
function summarize(chosen: readonly { readonly kind: string }[], noun: string): string {
  const kinds = [...new Set(chosen.map(({ kind }) => kind))];
  if (kinds.length > 3) return `${noun}s of ${kinds.length} kinds`;
  return new Intl.ListFormat('en').format(kinds) || '–';
}

function outputOf(root: HTMLElement, { id }: HTMLInputElement): HTMLOutputElement {
  return find(`output[for=${id}]`, HTMLOutputElement, root);
}
