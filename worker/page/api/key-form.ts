/** Where the visitor gives the API key, shown once the Worker has asked for it. */
import { find } from '../dom.ts';
import { keepKey } from './key.ts';

/** @param onKey is told when the visitor has given another key */
export function createKeyForm(onKey: () => void): { readonly show: () => void } {
  const form = find('#key', HTMLFormElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepKey(find('input', HTMLInputElement, form).value);
    form.hidden = true;
    onKey();
  });
  return {
    show: () => {
      form.hidden = false;
    },
  };
}
