/**
 * Defines the names that models and versions may have: a name is a folder on every system, and a part of a URL and of
 * an import path.
 */
import { UserError } from '../../training/files/index.ts';

/** No separator, no leading dot, nothing that Windows reserves or trims. */
const NAME = /^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?$/i;

export const isModelName = (name: string): boolean => NAME.test(name);

/** @throws UserError if the name could lead out of its folder or cannot be served */
export function requireModelName(where: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && isModelName(name)) return;
  throw new UserError(`${where}: expected letters, digits, '.', '_' and '-', got ${JSON.stringify(name)}`);
}

/** @returns the nearest valid name; undefined for a text without letters and digits */
export function modelNameFrom(text: string): string | undefined {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  const name = plain
    .replaceAll(/[^a-z0-9._-]+/gi, '-')
    .replace(/^[^a-z0-9]+/i, '')
    .slice(0, 64)
    .replace(/[.-]+$/, '');
  return isModelName(name) ? name : undefined;
}
