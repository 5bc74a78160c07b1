/**
 * Reads JSON lines as a table: each line is an object, and its members become the texts that a text file would hold.
 */
import { quote, unexpected } from '../files/index.ts';
import type { TableFile, TableRow } from './table-rows.ts';
import { type Position, REPLACEMENT_CHARACTER, shareOf, textOf } from './text.ts';
import { fileSource } from './text-file.ts';

type Line = Readonly<Record<string, unknown>>;

/**
 * Opens a file of JSON lines.
 *
 * @throws UserError naming the line that is not an object
 */
export async function openJsonLines(path: string): Promise<TableFile> {
  const names = new Set<string>();
  for await (const objects of objectsOf(path))
    for (const { object } of objects) for (const name of Object.keys(object)) names.add(name);
  const position = { read: 0, size: 0 };
  const rows = () => rowsOf(path, [...names], position);
  return { names: [...names], decimal: '.', notes: [], rows, progress: () => shareOf(position) };
}

async function* rowsOf(
  path: string,
  names: readonly string[],
  position: Position,
): AsyncGenerator<readonly TableRow[]> {
  for await (const objects of objectsOf(path, position)) {
    yield objects.map(({ line, object }) => ({
      line,
      cells: names.map((name) => textOfValue(Object.hasOwn(object, name) ? object[name] : null)),
    }));
  }
}

async function* objectsOf(
  path: string,
  position?: Position,
): AsyncGenerator<readonly { readonly line: number; readonly object: Line }[]> {
  const decoder = new TextDecoder();
  let [line, rest] = [0, ''];
  for await (const chunk of textOf(fileSource(path), 'utf-8', position)) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop() ?? '';
    yield lines.flatMap((text) => objectIn(path, ++line, text));
  }
  yield objectIn(path, line + 1, rest + decoder.decode());
}

function objectIn(
  path: string,
  line: number,
  text: string,
): readonly { readonly line: number; readonly object: Line }[] {
  if (text.trim() === '') return [];
  if (text.includes(REPLACEMENT_CHARACTER)) {
    throw unexpected(`${path}: line ${line}`, 'text in UTF-8', 'other bytes; save the file as UTF-8');
  }
  try {
    const object: unknown = JSON.parse(text);
    if (typeof object === 'object' && object !== null && !Array.isArray(object))
      return [{ line, object: object as Line }];
  } catch {
    // The error is thrown below.
  }
  throw unexpected(`${path}: line ${line}`, 'a JSON object', quote(text));
}

/** Returns a value as the text of a cell. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? '' : value.toISOString().replace('T00:00:00.000Z', '');
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member));
}
