/** The form for the API key, which is shown once the Worker has asked for the key. */
import { find } from '../dom.ts';
import { keepKey } from './key.ts';

/** @param onKey is called when the visitor has entered a key */
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
