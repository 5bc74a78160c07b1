/** Offers the sources of pictures: files chosen or dropped, the clipboard, the camera. */
import { make } from '../../dom.ts';
import { createCamera } from './camera.ts';

export interface Sources {
  readonly root: HTMLElement;
}

/** @param onPicture gets each picture, with a name for the lines of code */
export function createSources(onPicture: (file: File) => void): Sources {
  const file = make('input', { type: 'file', accept: 'image/png,image/jpeg', id: 'picture-file' });
  const choose = make('label', { className: 'file' }, file, make('span', { className: 'quiet' }, 'Choose a picture'));
  file.addEventListener('change', () => {
    take(file.files);
    // This lets the same file be chosen again.
    file.value = '';
  });
  const camera = createCamera(onPicture);
  const tools = make('div', { className: 'tools' }, choose, ...(camera ? [camera.button] : []));
  const hint = make('p', { className: 'hint' }, 'PNG or JPEG: choose, drop, or paste one here.');
  const root = make('div', { className: 'sources' }, tools, ...(camera ? [camera.root] : []), hint);

  function take(files: FileList | null | undefined): boolean {
    const [first] = [...(files ?? [])].filter(({ type }) => type.startsWith('image/'));
    if (first) onPicture(first);
    return first !== undefined;
  }
  const onPaste = (event: ClipboardEvent): void => {
    // Once another model is shown, its own sources listen.
    if (!root.isConnected) document.removeEventListener('paste', onPaste);
    else if (take(event.clipboardData?.files)) event.preventDefault();
  };
  document.addEventListener('paste', onPaste);
  root.addEventListener('dragover', (event) => {
    event.preventDefault();
    root.classList.add('is-over');
  });
  root.addEventListener('dragleave', () => {
    root.classList.remove('is-over');
  });
  root.addEventListener('drop', (event) => {
    event.preventDefault();
    root.classList.remove('is-over');
    take(event.dataTransfer?.files);
  });
  return { root };
}
