/** Shows the lines of code for what is on screen, each with a button that copies it. */
import { hasKey } from '../api/key.ts';
import type { Call } from '../api/request.ts';
import { card, make } from '../dom.ts';
import { snippetsOf } from './snippets.ts';

export interface CodeCard {
  readonly root: HTMLElement;
  readonly show: (call: Call) => void;
}

export function createCodeCard(): CodeCard {
  const [curl, typescript] = [createBlock('curl'), createBlock('TypeScript')];
  let newest: Call | undefined;
  const root = card('code', 'The same from code', make('div', { className: 'blocks' }, curl.root, typescript.root));
  return {
    root,
    show: (call) => {
      newest = call;
      void snippetsOf(call, hasKey()).then((snippets) => {
        if (newest !== call) return;
        curl.write(snippets.curl);
        typescript.write(snippets.typescript);
      });
    },
  };
}

function createBlock(name: string) {
  const code = make('code');
  const button = make('button', { type: 'button', className: 'quiet', ariaLabel: `Copy the ${name} code` }, 'Copy');
  const status = make('span', { className: 'said', role: 'status' });
  button.addEventListener('click', () => {
    copy(code).then(
      () => (status.textContent = 'copied'),
      () => (status.textContent = 'selected: copy it by keyboard'),
    );
  });
  const head = make('div', { className: 'block-head' }, make('h3', {}, name), status, button);
  return {
    root: make('div', { className: 'block' }, head, make('pre', {}, code)),
    write: (content: string) => {
      if (code.textContent === content) return;
      code.textContent = content;
      status.textContent = '';
    },
  };
}

/** @throws when the browser does not let the page copy; the text is selected instead */
async function copy(element: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch (error) {
    getSelection()?.selectAllChildren(element);
    throw error;
  }
}
