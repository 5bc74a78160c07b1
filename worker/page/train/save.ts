/** Saves files that the page makes as downloads of the browser, and explains how to train a saved checkpoint further. */
import { make } from '../dom.ts';
import type { Begun, TableReport } from './engine/messages.ts';
import { type Side, sides } from './engine/settings.ts';

export function saveAs(name: string, type: string, content: string | Uint8Array<ArrayBuffer>): void {
  const href = URL.createObjectURL(new Blob([content], { type }));
  make('a', { href, download: name }).click();
  // The browser has started to read the file by then.
  setTimeout(() => {
    URL.revokeObjectURL(href);
  }, 10_000);
}

/** Returns the losses as CSV. Each float32 has the fewest digits that restore it. */
export function lossesText(losses: Readonly<Record<Side, Float32Array>>): string {
  const steps = Math.max(...sides.map((side) => losses[side].length));
  const rows = Array.from({ length: steps }, (_, i) => [i + 1, ...sides.map((side) => losses[side][i] ?? '')].join());
  return [`step,${sides.map((side) => `${side} Batch Norm`).join()}`, ...rows, ''].join('\n');
}

/** Returns the command that trains a checkpoint of this page further. */
export function commandFor(of: Begun['of'], table: TableReport | undefined, side: string): string {
  const from = `--from ${side}-batch-norm.safetensors`;
  if (of === 'digits') return `bn-edge train ${from}`;
  const [file, label] = of === 'table' && table ? [table.name, table.label] : ['points.csv', 'class'];
  return `bn-edge train ${file.startsWith('-') ? './' : ''}${inShell(file)} --label ${inShell(label)} ${from}`;
}

const inShell = (text: string): string =>
  /^[\w.][\w.-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
