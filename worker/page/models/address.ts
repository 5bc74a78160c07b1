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
  return { name: decodeURIComponent(name), ...(version !== undefined && { version: decodeURIComponent(version) }) };
}

export const addressOf = ({ name, version }: ModelAddress): string =>
  `#/${encodeURIComponent(name)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`;
