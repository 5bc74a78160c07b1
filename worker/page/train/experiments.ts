/**
 * Shows the six experiments: a row of links above the controls, and the text of the experiment whose link was followed.
 */
import { find, make } from '../dom.ts';

/** @returns a function that shows the text that belongs to an address */
export function createExperiments(follow: () => void): (hash: string) => void {
  const place = find('#experiment', HTMLElement);
  const experiments = Array.from(document.querySelectorAll('.path > li'), (item, i) => {
    const { hash } = find('a', HTMLAnchorElement, item);
    const title = find('h3', HTMLElement, item).textContent;
    return { hash, text: find('p', HTMLElement, item), link: make('a', { href: hash }, `${i + 1} ${title}`) };
  });
  find('#experiments', HTMLElement).append(...experiments.map(({ link }) => link));
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#experiments a, .path a')) {
    link.addEventListener('click', () => {
      const go = find('#go', HTMLButtonElement);
      find('#experiments', HTMLElement).scrollIntoView();
      go.focus({ preventScroll: true });
      // Following the link of the current address fires no `hashchange`.
      if (link.hash === location.hash) follow();
    });
  }
  return (hash) => {
    const followed = experiments.find((each) => each.hash === hash);
    place.hidden = followed === undefined;
    place.replaceChildren(...(followed ? [followed.text.cloneNode(true)] : []));
    for (const each of experiments) each.link.ariaCurrent = each === followed ? 'true' : null;
  };
}
