/** Adds scripts to the text of a package.json and leaves every other character of it alone. */
import { unexpected, UserError } from '../../training/files/index.ts';

/** Matches a string, or one of the characters that structure JSON. */
const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

interface Span {
  /** The offset after the opening brace. */
  readonly from: number;
  /** The offset of the closing brace. */
  readonly to: number;
}

/**
 * @param text a package.json
 * @returns the text with the scripts that it lacks
 * @throws UserError for text that is not a JSON object, or whose scripts are not an object
 */
export function addScripts(
  path: string,
  text: string,
  scripts: Readonly<Record<string, string>>,
): { readonly text: string; readonly added: readonly string[] } {
  const { scripts: existing = {} } = parseManifest(path, text);
  if (!isObject(existing)) throw unexpected(`${path}: scripts`, 'an object', 'something else');
  const added = Object.entries(scripts).filter(([name]) => !(name in existing));
  if (added.length === 0) return { text, added: [] };
  const [newline, indent] = [text.includes('\r\n') ? '\r\n' : '\n', /\n([ \t]+)"/.exec(text)?.[1] ?? '  '];
  const lines = added.map(([name, command]) => `${JSON.stringify(name)}: ${JSON.stringify(command)}`);
  const span = spanOfScripts(text);
  const changed = span
    ? insert(text, span, lines, indent.repeat(2), newline, indent)
    : insert(text, wholeSpan(text), [`"scripts": ${object(lines, indent, newline)}`], indent, newline, '');
  return { text: changed, added: added.map(([name]) => name) };
}

/** @throws UserError for text that is not a JSON object */
export function parseManifest(path: string, text: string): Readonly<Record<string, unknown>> {
  const wrong = `${path}: expected a JSON object, got something else`;
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserError(wrong, { cause: error });
  }
  if (!isObject(value)) throw new UserError(wrong);
  return value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const object = (lines: readonly string[], indent: string, newline: string): string =>
  [`{`, lines.map((line) => `${indent.repeat(2)}${line}`).join(`,${newline}`), `${indent}}`].join(newline);

/**
 * Finds the object under the key `scripts` of the outermost object; of several the last, which is the one that counts.
 */
function spanOfScripts(text: string): Span | undefined {
  let [depth, key, from, span]: [number, string, number | undefined, Span | undefined] = [0, '', undefined, undefined];
  for (const { 0: sign, index } of text.matchAll(token)) {
    if (sign === '{' || sign === '[') {
      if (depth === 1 && key === 'scripts' && sign === '{') from = index + 1;
      depth++;
    } else if (sign === '}' || sign === ']') {
      depth--;
      if (depth === 1 && from !== undefined) [span, from] = [{ from, to: index }, undefined];
    } else if (depth === 1 && sign.startsWith('"') && /^\s*:/.test(text.slice(index + sign.length))) {
      key = JSON.parse(sign) as string;
    }
  }
  return span;
}

const wholeSpan = (text: string): Span => ({ from: text.indexOf('{') + 1, to: text.lastIndexOf('}') });

/** Inserts lines after the last member of an object, which may have none. */
function insert(
  text: string,
  { from, to }: Span,
  lines: readonly string[],
  indent: string,
  newline: string,
  close: string,
): string {
  const body = text.slice(from, to).trimEnd();
  const members = lines.map((line) => `${newline}${indent}${line}`).join(',');
  return `${text.slice(0, from)}${body}${body.trim() === '' ? '' : ','}${members}${newline}${close}${text.slice(to)}`;
}
