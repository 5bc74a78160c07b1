/** The API key of a Worker that asks for one: kept for this visit, sent with every request. */
import { find } from './dom.ts';

const ITEM = 'bn-edge/api-key';

export class KeyRequired extends Error {}

export function keyHeader(): Readonly<Record<string, string>> {
  const key = sessionStorage.getItem(ITEM);
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/** @param onKey is told when the visitor has given another key */
export function createKeyForm(onKey: () => void): { readonly show: () => void } {
  const form = find('#key', HTMLFormElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(ITEM, find('input', HTMLInputElement, form).value);
    form.hidden = true;
    onKey();
  });
  return {
    show: () => {
      form.hidden = false;
    },
  };
}
