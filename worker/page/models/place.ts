/** Reads which model the page's address names, behind the `#`: `#/churn` or `#/churn/versions/2`. */

export interface Place {
  readonly name: string;
  /** Absent for the current version. */
  readonly version?: string;
}

const pattern = /^#\/([^/]+)(?:\/versions\/([^/]+))?$/;

export function placeIn(hash: string): Place | undefined {
  const [, name, version] = pattern.exec(hash) ?? [];
  if (name === undefined) return undefined;
  return { name: decodeURIComponent(name), ...(version !== undefined && { version: decodeURIComponent(version) }) };
}

export const addressOf = ({ name, version }: Place): string =>
  `#/${encodeURIComponent(name)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`;
