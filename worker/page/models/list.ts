/** Lists the models to choose from, and marks the current one. */
import { make } from '../dom.ts';
import { addressOf, type Place } from './place.ts';

export interface ModelList {
  readonly show: (names: readonly string[], current: Place | undefined) => void;
}

export function createModelList(root: HTMLElement): ModelList {
  let shown = '';
  return {
    show(names, current) {
      const written = names.join('\n');
      // Links that stay where they are keep the keyboard's place.
      if (written !== shown) {
        root.replaceChildren(...names.map((name) => make('li', {}, make('a', { href: addressOf({ name }) }, name))));
      }
      shown = written;
      [...root.querySelectorAll('a')].forEach((link, i) => {
        if (names[i] === current?.name) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      });
    },
  };
}
