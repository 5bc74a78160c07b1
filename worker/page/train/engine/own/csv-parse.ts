/**
 * `csv-parse` where there are no streams: the parser of the package, with the same options, over the whole text at once. The bundler puts
 * this module in place of the package, whose streams need Node. A table of the page is small enough for that: see own-table.ts.
 */
import { CsvError, type OptionsNormalized, parse as parseAll } from 'csv-parse/browser/esm/sync';

export { CsvError };

type Callback = (error?: Error | null) => void;

/** As much of the package's parser as the reader of tables uses. */
export function parse(options: Partial<OptionsNormalized>) {
  const decoder = new TextDecoder();
  let text = '';
  return {
    /** Errors come by the callbacks. */
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
