/** The user's own table: receives the file, dropped or chosen, and lets the user choose the column to predict. */
import { find, make } from '../dom.ts';
import { number } from '../format.ts';
import type { Begun, TableReport } from './engine/messages.ts';
import { inWordsOfThePage } from './wording.ts';

export interface OwnFile {
  /** Shows what the engine has read of the file. */
  readonly showRead: (report: TableReport) => void;
  readonly showBegun: (begun: Begun) => void;
}

/** @param read receives a new file, without a label, or the current file with the column to predict */
export function createOwnFile(read: (file: File, label: string | undefined) => void): OwnFile {
  const input = find('#own-file', HTMLInputElement);
  const label = find('#own-label', HTMLSelectElement);
  const labelField = find('#own-label-field', HTMLElement);
  const facts = find('#own-facts', HTMLElement);
  let file: File | undefined;
  /** The files that are being read. The engine reports of each, in this order. */
  const pending: File[] = [];
  /** The last file that the engine can train with, and its report. */
  let trained: { readonly file: File | undefined; readonly report: TableReport } | undefined;

  const showNames = ({ names, label: chosen }: TableReport): void => {
    label.replaceChildren(...names.map((name) => make('option', { value: name }, name)));
    label.value = chosen;
    labelField.hidden = names.length === 0;
  };
  const request = (of: File, column: string | undefined): void => {
    pending.push(of);
    read(of, column);
  };
  const take = (files: FileList | null | undefined): void => {
    const [first] = files ?? [];
    if (!first) return;
    file = first;
    facts.textContent = `Reading ${first.name} …`;
    request(first, undefined);
  };
  input.addEventListener('change', () => {
    take(input.files);
    // The reset lets the user choose the same file again after changing it.
    input.value = '';
  });
  label.addEventListener('change', () => {
    if (file) request(file, label.value);
  });
  const isOver = (on: boolean): void => {
    document.body.classList.toggle('is-dropping', on);
  };
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    isOver(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) isOver(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    isOver(false);
    take(event.dataTransfer?.files);
  });

  return {
    showRead: (report) => {
      const of = pending.shift();
      if (report.problem === undefined) trained = { file: of, report };
      facts.textContent = report.problem === undefined ? '' : `${report.name} is not trained with.`;
      showNames(report);
    },
    showBegun: ({ of, trained: rows, heldBack }) => {
      const own = of === 'table' ? trained : undefined;
      if (!own) {
        labelField.hidden = true;
        facts.textContent = '';
        return;
      }
      // A later file may have been refused, and the names shown would be those of that file.
      ({ file } = own);
      showNames(own.report);
      facts.textContent = [
        `${own.report.name}: ${number(rows)} rows to train with, ${number(heldBack)} held back for validation, as bn-edge train divides them.`,
        ...own.report.notes.map((note) => `${sentence(inWordsOfThePage(note))}.`),
      ].join(' ');
    },
  };
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
