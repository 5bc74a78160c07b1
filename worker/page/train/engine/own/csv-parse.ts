/**
 * Replaces `csv-parse`, whose streams need Node, in the page's bundle: parses the whole text at once with the package's
 * own parser and the same options. The tables of the page are small enough for that: see own-table.ts.
 */
import { CsvError, type OptionsNormalized, parse as parseAll } from 'csv-parse/browser/esm/sync';

export { CsvError };

type Callback = (error?: Error | null) => void;

/** Implements as much of the package's interface as the reader of tables uses. */
export function parse(options: Partial<OptionsNormalized>) {
  const decoder = new TextDecoder();
  let text = '';
  return {
    /** Registers nothing: errors are passed to the callbacks. */
    on: (): void => undefined,
    write: (chunk: Uint8Array | string, callback: Callback): void => {
      text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      callback();
    },
    end: (callback: Callback): void => {
      try {
        parseAll(text + decoder.decode(), options);
      } catch (error) {
        callback(error as Error);
        return;
      }
      callback();
    },
  };
}
