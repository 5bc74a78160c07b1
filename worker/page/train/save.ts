/** Saves files that the page makes as downloads of the browser. */
import { make } from '../dom.ts';
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
