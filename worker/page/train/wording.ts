/** Messages of the code that the command has as well, in the words of the page. */

/** The options that the page has a control for, and what is written beside it. */
const controls: readonly (readonly [option: RegExp, name: string])[] = [
  [/--label(?: NAME)?(?![\w-])/g, '“Predict”'],
  [/--learning-rate(?![\w-])/g, '“Learning rate”'],
  [/--batch-size(?![\w-])|^batch size(?=:)/g, '“Batch size”'],
];

const quoted = /"(?:[^"\\]|\\.)*"/g;
/** From the message's beginning, or what parts it in two, to the next. */
const clause = /(^|; |: )((?:(?!; |: ).)+)/g;

/**
 * Options that the page has a control for are called by its name; a clause that names others is said to be of the command. What is quoted
 * from a file stays as it is.
 */
export function inWordsOfThePage(message: string): string {
  const quotes = message.match(quoted) ?? [];
  const bare = controls.reduce((text, [option, name]) => text.replace(option, name), message.replaceAll(quoted, '""'));
  const said = bare.replaceAll(clause, (whole, before: string, text: string) =>
    /(^|[\s(])--[a-z]/.test(text) ? `${before}with bn-edge train, ${text}` : whole,
  );
  let next = 0;
  return said.replaceAll('""', () => quotes[next++] ?? '');
}
