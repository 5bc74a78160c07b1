/** Reads Apache Parquet as a table, a row group at a time. Values become the texts that a text file would hold. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import { cannotRead, oneLine, requireStored, unexpected, UserError } from '../files/index.ts';
import type { TableFile, TableRow } from './table-rows.ts';
import { textOfValue } from './json-lines.ts';
import { type Position, shareOf } from './text.ts';

/** The codecs that Node has. The library itself decompresses Snappy. */
const compressors: Compressors = {
  GZIP: (bytes) => new Uint8Array(gunzipSync(bytes)),
  BROTLI: (bytes) => new Uint8Array(brotliDecompressSync(bytes)),
};

/** The maximum number of rows in one batch. */
const MAX_ROWS = 1000;

/**
 * Opens a Parquet file.
 *
 * @throws UserError for another kind of file, a broken one, or one with nested columns
 */
export async function openParquet(path: string): Promise<TableFile> {
  const { parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  return explained(path, async () => {
    const metadata = await parquetMetadataAsync(fileOf(path));
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    const position = { read: 0, size: Number(metadata.num_rows) };
    const rows = () => rowsOf(path, metadata, names, position);
    return { names, decimal: '.', notes: [], rows, progress: () => shareOf(position) };
  });
}

async function* rowsOf(
  path: string,
  metadata: FileMetaData,
  names: readonly string[],
  position: Position,
): AsyncGenerator<readonly TableRow[]> {
  const { parquetReadObjects } = await import('hyparquet');
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    const read = { file: fileOf(path), metadata, rowStart: start, rowEnd: end, compressors };
    const objects = await explained(path, () => parquetReadObjects(read));
    for (let at = 0; at < objects.length; at += MAX_ROWS) {
      const first = start + at + 1;
      position.read = start + Math.min(at + MAX_ROWS, objects.length);
      yield objects.slice(at, at + MAX_ROWS).map((object, i) => ({
        line: first + i,
        cells: names.map((name) => textOfValue((object as Readonly<Record<string, unknown>>)[name])),
      }));
    }
    start = end;
  }
}

/** Gives the library access to a file; each slice is read from the disk. */
function fileOf(path: string): AsyncBuffer {
  requireStored(path);
  const opened = <T>(work: (file: number) => T): T => {
    const file = openSync(path, 'r');
    try {
      return work(file);
    } finally {
      closeSync(file);
    }
  };
  const byteLength = opened((file) => fstatSync(file).size);
  return {
    byteLength,
    slice: (start, end = byteLength) =>
      opened((file) => {
        const bytes = new Uint8Array(Math.max(end - start, 0));
        for (let at = 0; at < bytes.length;) {
          // Node reads less than 2 GiB at once.
          const count = readSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30), start + at);
          if (count === 0) throw unexpected(path, `${end} bytes, as when it was opened`, start + at);
          at += count;
        }
        return bytes.buffer;
      }),
  };
}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw cannotRead(path, error);
    throw unexpected(
      path,
      'a Parquet file (plain, Snappy, gzip or Brotli)',
      `one that cannot be read: ${oneLine(error.message)}`,
    );
  }
}
