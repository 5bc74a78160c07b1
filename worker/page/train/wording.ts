/** Rewrites messages of code that the command shares in the words of the page. */
import { at } from '../../../training/arrays/index.ts';

/** Maps options that the page has a control for to the control's label. */
const controls: readonly (readonly [option: RegExp, name: string])[] = [
  [/--label(?: NAME)?(?![\w-])/g, '“Predict”'],
  [/--learning-rate(?![\w-])/g, '“Learning rate”'],
  [/--batch-size(?![\w-])|^batch size(?=:)/g, '“Batch size”'],
];

const quoted = /"(?:[^"\\]|\\.)*"/g;
/** Matches a clause: from the message's beginning or a separator to the next separator. */
const clause = /(^|; |: )((?:(?!; |: ).)+)/g;

/**
 * Replaces options that the page has a control for by its label. A clause that names other options is attributed to the
 * command. Text quoted from a file stays as it is.
 */
export function inWordsOfThePage(message: string): string {
  const quotes = message.match(quoted) ?? [];
  const bare = controls.reduce((text, [option, name]) => text.replace(option, name), message.replaceAll(quoted, '""'));
  const reworded = bare.replaceAll(clause, (whole, before: string, text: string) =>
    /(^|[\s(])--[a-z]/.test(text) ? `${before}with bn-edge train, ${text}` : whole,
  );
  let next = 0;
  return reworded.replaceAll('""', () => at(quotes, next++));
}
