import { present } from '../arrays/index.ts';

/**
 * A mistake that the user can correct. It is the one error class that callers branch on.
 *
 * The command line prints its message as one line, without a stack trace, and exits with code 1. Every other error that
 * is thrown is a bug in this program and keeps its stack trace.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The exit code of the command that this error ends. */
  readonly exitCode: number = 1;
}

/** Makes an error in the form that every complaint about data, files and options takes: `where: expected X, got Y`. */
export function unexpected(where: string, expected: string, got: string | number): UserError {
  return new UserError(`${where}: expected ${expected}, got ${got}`);
}

const LONGEST_QUOTE = 60;

/** Quotes text from a file for a one-line message: control characters are escaped, long text is cut. */
export function quote(text: string): string {
  return printable(JSON.stringify(cut(text, LONGEST_QUOTE)));
}

const LONGEST_LINE = 300;

/**
 * Turns a message that holds names from a file into one line: control characters are escaped, a long message is cut.
 */
export function oneLine(message: string): string {
  return cut(printable(message), LONGEST_LINE);
}

/**
 * Escapes the characters that a terminal would obey or reorder: control characters, including those above ASCII, and
 * invisible ones.
 */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${present(sign.codePointAt(0)).toString(16)}}`);

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);
