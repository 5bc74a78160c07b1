/**
 * The one error class that callers branch on: a mistake the user can put right.
 *
 * The command line prints its message as one line, without a stack trace, and exits with code 1. Everything else that is
 * thrown is a bug of ours and keeps its stack.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** Of the command that it ends. */
  readonly exitCode: number = 1;
}

/** `where: expected X, got Y`, the form every complaint about data, files and options takes. */
export function unexpected(where: string, expected: string, got: string | number): UserError {
  return new UserError(`${where}: expected ${expected}, got ${got}`);
}

const LONGEST_QUOTE = 60;

/** Text from a file as part of a one-line message: quoted, control characters escaped, cut when long. */
export function quote(text: string): string {
  return printable(JSON.stringify(cut(text, LONGEST_QUOTE)));
}

const LONGEST_LINE = 300;

/** A message with names from a file in it, as one line: control characters escaped, cut when long. */
export function oneLine(message: string): string {
  return cut(printable(message), LONGEST_LINE);
}

/** Escapes what a terminal would obey, or show in another order: controls, also those above ASCII, and invisible signs. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);
