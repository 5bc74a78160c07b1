/**
 * Reads the user's own table in the browser, by the reader of `bn-edge train`, with the same columns, the same split
 * and the same preparation. The page loads this module when the user chooses a table.
 */
import { inputsOf } from '../../../../../training/columns/index.ts';
import {
  type ClassificationDataset,
  openText,
  splitTable,
  type Table,
  tableOf,
  type TextSource,
} from '../../../../../training/data/index.ts';
import { count, quote, unexpected } from '../../../../../training/files/index.ts';
import { encodedShape } from '../../../../../training/network/index.ts';
import { binsFor, binsOf, unitsOf } from '../../../../../training/run/index.ts';
import type { Subject } from '../subject.ts';

/** The largest file: it is held in memory, and read four times. */
const maxBytes = 10e6;
/** The maximum number of inputs of the first layer, once categories and bins have their places. */
const maxInputs = 2048;

export interface OwnTable {
  readonly name: string;
  readonly label: string;
  readonly table: Table;
}

const readable = /\.(csv|tsv|tab|txt|data)$/i;

/** @throws UserError for a file that is too large, or of another kind */
export function sourceOf(file: File): TextSource {
  const { name, size } = file;
  if (!readable.test(name)) throw unexpected(name, 'a .csv, .tsv, .tab, .txt or .data file', 'another kind of file');
  if (size > maxBytes) {
    const where = 'bn-edge train reads larger ones';
    throw unexpected(name, `at most ${count(maxBytes)} bytes`, `${count(size)}; ${where}`);
  }
  return {
    name,
    chunks: async function* (position = { read: 0, size: 0 }) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      Object.assign(position, { read: bytes.length, size: bytes.length });
      yield bytes;
    },
  };
}

/**
 * Reads the names of the columns.
 * @throws UserError naming the file and what cannot be read of it
 */
export async function namesOf(source: TextSource): Promise<readonly string[]> {
  const { names } = await openText(source, {});
  if (names.length === 0) throw unexpected(source.name, 'a row of names and rows of data', 'none');
  return names;
}

/** Common names of the column to predict, the surest first: `y` may also be a coordinate, as in a table of points. */
const labelNames = ['class', 'label', 'target', 'outcome', 'species', 'y'] as const;

/** Guesses the column to predict: one with a common name, or else the last. */
export function likelyLabel(names: readonly string[]): string {
  const [found] = labelNames.flatMap((common) => names.find((name) => name.toLowerCase() === common) ?? []);
  return found ?? names.at(-1) ?? '';
}

/**
 * Reads the table.
 * @throws UserError as the command does, and for numbers to predict
 */
export async function readOwn(source: TextSource, label: string): Promise<OwnTable> {
  const { name } = source;
  const table = await tableOf(name, await openText(source, {}), { label });
  if (table.dataset.task === 'regression')
    throw unexpected(
      `${name}: column ${quote(label)}`,
      'classes, which are what the page trains for',
      'numbers, which bn-edge train predicts; --label names another column',
    );
  return { name, label, table };
}

/**
 * Splits the table and describes its network's input.
 * @throws UserError where there are too few rows, or too many inputs
 */
export function subjectOf({ name, table }: OwnTable, seed: number): Subject {
  const { train, validation, columns } = splitTable(table, { own: new Map(), others: undefined }, { seed });
  const data = { train, columns };
  const bins = binsFor(inputsOf(columns).filter(({ categories }) => categories === 0).length);
  const network = {
    inputShape: train.inputShape,
    inputNormalization: 'robust',
    ...unitsOf(data, 'logits'),
    ...(bins > 0 && binsOf(data, bins, name)),
  } as const;
  const [inputs = 0] = encodedShape(network);
  if (inputs > maxInputs)
    throw unexpected(
      name,
      `at most ${count(maxInputs)} inputs of the first layer`,
      `${count(inputs)}, of all categories and bins; bn-edge train takes more`,
    );
  return { kind: 'table', network, columns, train: ofClasses(train), validation: ofClasses(validation) };
}

function ofClasses(part: { readonly task: string }): ClassificationDataset {
  if (part.task !== 'classification') throw new Error('internal: expected classes, which readOwn requires');
  return part as ClassificationDataset;
}
