/** Files that the page gives: made here, and put where the browser puts downloads. */
import { make } from '../dom.ts';
import { type Side, sides } from './engine/settings.ts';

export function saveAs(name: string, type: string, content: string | Uint8Array<ArrayBuffer>): void {
  const href = URL.createObjectURL(new Blob([content], { type }));
  make('a', { href, download: name }).click();
  // The browser has begun to read it by then.
  setTimeout(() => {
    URL.revokeObjectURL(href);
  }, 10_000);
}

/** Each float32 in the digits that give it back. */
export function lossesText(losses: Readonly<Record<Side, Float32Array>>): string {
  const steps = Math.max(...sides.map((side) => losses[side].length));
  const rows = Array.from({ length: steps }, (_, i) => [i + 1, ...sides.map((side) => losses[side][i] ?? '')].join());
  return [`step,${sides.map((side) => `${side} Batch Norm`).join()}`, ...rows, ''].join('\n');
}
