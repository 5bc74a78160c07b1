/** Refuses options that do not apply to the kind of data, which would otherwise be ignored silently. */
import { statSync } from 'node:fs';
import { hasMnistFiles } from '../../training/data/index.ts';
import { unexpected } from '../../training/files/index.ts';
import type { DataFlags } from './data-options.ts';

const kinds = {
  table: 'a table',
  arrays: 'arrays (.npz or .npy)',
  images: 'a folder of images',
  idx: 'a folder of IDX files',
} as const;

type Kind = keyof typeof kinds;

const table: readonly Kind[] = ['table'];
const arrays: readonly Kind[] = ['arrays'];
const images: readonly Kind[] = ['images'];
const divided: readonly Kind[] = ['table', 'arrays', 'images'];

const kindsOf: { readonly [Flag in Exclude<keyof DataFlags, 'data'>]-?: readonly Kind[] } = {
  label: [...table, ...arrays],
  task: [...table, ...arrays],
  missing: table,
  dropMissingLabels: table,
  numeric: table,
  categorical: table,
  date: table,
  ignore: table,
  delimiter: table,
  quote: table,
  decimal: table,
  encoding: table,
  comment: table,
  skipRows: table,
  header: table,
  inputs: arrays,
  layout: arrays,
  imageSize: images,
  channels: images,
  fit: images,
  background: images,
  skipBroken: images,
  pictures: [...images, 'idx'],
  validationShare: divided,
  testShare: divided,
};

/** @throws UserError that names the first option that does not apply to these data */
export function requireOptionsOf(path: string, flags: DataFlags): void {
  const kind = kindAt(path);
  if (!kind) return;
  for (const [flag, appliesTo] of Object.entries(kindsOf) as [keyof typeof kindsOf, readonly Kind[]][]) {
    // A table has a header by default.
    if (flags[flag] === undefined || (flags[flag] === true && flag === 'header') || appliesTo.includes(kind)) continue;
    const expected = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(appliesTo.map((one) => kinds[one]));
    throw unexpected(optionOf(flag), `${expected}, of which it says something`, `${path}, which is ${kinds[kind]}`);
  }
}

const optionOf = (flag: string): string =>
  flag === 'header' ? '--no-header' : `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * Returns the kind of data at a path; undefined if nothing is there. The reader reports what is wrong with any other
 * file.
 */
function kindAt(path: string): Kind | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (found.isDirectory()) return hasMnistFiles(path) ? 'idx' : 'images';
  return /\.np[yz](\.gz)?$/i.test(path) ? 'arrays' : 'table';
}
