/** Shows the worst mistakes of an evaluation: as lines with their cells, or as a picture. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { at } from '../../training/arrays/index.ts';
import { type Dataset, readCells } from '../../training/data/index.ts';
import { count, makeFolder, oneLine, writeAtomically } from '../../training/files/index.ts';
import type { Mistake } from '../../training/objective/index.ts';
import type { Evaluated } from '../../training/run/index.ts';
import { arePictures, drawMistakes } from './mistakes.ts';
import { inLines } from './table.ts';

/** Returns the path of the picture of mistakes: in the run folder or, for any other file, in `runs`. */
export function mistakesBeside(file: string): string {
  const folder = dirname(file);
  return join(existsSync(join(folder, 'config.json')) ? folder : 'runs', 'mistakes.svg');
}

/** A mistake with the file of its picture, or its place in the data and its line and cells in a table. */
interface PlacedMistake extends Mistake {
  readonly file?: string;
  readonly place?: number;
  readonly line?: number;
  readonly cells?: Readonly<Record<string, string>>;
}

/** Finds the place of each mistake in the data, and the cells of its row. */
export async function placed(
  mistakes: readonly Mistake[],
  { samples, source }: Evaluated,
): Promise<readonly PlacedMistake[]> {
  const { lines, files, places } = samples;
  if (files) return mistakes.map((mistake) => ({ ...mistake, file: at(files, mistake.sample) }));
  if (places) return mistakes.map((mistake) => ({ ...mistake, place: at(places, mistake.sample) }));
  if (!lines || source.path === undefined) return mistakes;
  const lineOf = ({ sample }: Mistake) => at(lines, sample);
  const found = await readCells(source.path, source, new Set(mistakes.map(lineOf)));
  return mistakes.map((mistake) => ({
    ...mistake,
    line: lineOf(mistake),
    cells: Object.fromEntries(found.get(lineOf(mistake)) ?? []),
  }));
}

/** Numbers a sample, for programs, as the file of predictions does. */
export const numbered = ({ place, ...mistake }: PlacedMistake): PlacedMistake => ({
  ...mistake,
  sample: place ?? mistake.sample,
});

/** Prints mistakes, or draws them if they are pictures. */
export async function showMistakes(
  mistakes: readonly PlacedMistake[],
  all: number,
  samples: Dataset,
  path: string,
): Promise<void> {
  if (mistakes.length === 0) return;
  const what = mistakes.length < all ? `the ${count(mistakes.length)} worst of ${count(all)} mistakes` : 'the mistakes';
  if (!arePictures(samples)) {
    console.log([`${what}:`, ...mistakes.map(describeMistake)].join('\n'));
    return;
  }
  await makeFolder(dirname(path));
  await writeAtomically(path, drawMistakes(mistakes, samples));
  console.log(`${what}: ${path}`);
}

/**
 * Returns, for example, `line 79: expected yes, got no (98.1 %)   a 2.04, b -0.08`, on more lines if it is too long.
 */
function describeMistake({ sample, file, place, line, cells = {}, expected, got, detail }: PlacedMistake): string {
  const where = file ?? (line === undefined ? `sample ${place ?? sample}` : `line ${line}`);
  const shown = Object.entries(cells).map(([name, cell]) => `${name} ${cell === '' ? '–' : cell}`);
  const start = oneLine(`${where}: expected ${expected}, got ${got}${detail === '' ? '' : ` (${detail})`}`);
  return inLines(shown.map(oneLine), { start: `${start}   `, between: ', ', indent: '    ' });
}
