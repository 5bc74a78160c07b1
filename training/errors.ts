/**
 * The one error class that callers branch on: a mistake the user can put right.
 *
 * The command line prints its message as one line, without a stack trace, and exits with code 1. Everything else that is
 * thrown is a bug of ours and keeps its stack.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** `where: expected X, got Y`, the form every complaint about data, files and options takes. */
export function unexpected(where: string, expected: string, got: string | number): UserError {
  return new UserError(`${where}: expected ${expected}, got ${got}`);
}

const LONGEST_QUOTE = 60;

/** Text from a file as part of a one-line message: quoted, control characters escaped, cut when long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}
