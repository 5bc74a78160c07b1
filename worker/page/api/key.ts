/**
 * Keeps the API key of a Worker that asks for one, for this visit, and gives it to every request. A form asks the
 * visitor for the key when the Worker wants it.
 */
import { find } from '../dom.ts';

const ITEM = 'bn-edge/api-key';

export class KeyRequired extends Error {}

export function keyHeader(): Readonly<Record<string, string>> {
  const key = sessionStorage.getItem(ITEM);
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

export const hasKey = (): boolean => sessionStorage.getItem(ITEM) !== null;

/** @param onKey is called when the visitor has entered a key */
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
