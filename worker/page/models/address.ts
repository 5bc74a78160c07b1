/** Reads which model the page's address names, after the `#`: `#/churn` or `#/churn/versions/2`. */

export interface ModelAddress {
  readonly name: string;
  /** Absent for the current version. */
  readonly version?: string;
}

const pattern = /^#\/([^/]+)(?:\/versions\/([^/]+))?$/;

export function modelIn(hash: string): ModelAddress | undefined {
  const [, name, version] = pattern.exec(hash) ?? [];
  if (name === undefined) return undefined;
  return { name: decoded(name), ...(version !== undefined && { version: decoded(version) }) };
}

/** Decodes a part of an address. A part with an invalid escape, such as `%x`, stays as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const addressOf = ({ name, version }: ModelAddress): string =>
  `#/${encodeURIComponent(name)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`;
