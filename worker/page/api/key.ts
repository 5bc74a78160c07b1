/** Keeps the API key of a Worker that asks for one: for this visit, to be sent with every request. */
const ITEM = 'bn-edge/api-key';

export class KeyRequired extends Error {}

export function keyHeader(): Readonly<Record<string, string>> {
  const key = sessionStorage.getItem(ITEM);
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

export function keepKey(key: string): void {
  sessionStorage.setItem(ITEM, key);
}

export const hasKey = (): boolean => sessionStorage.getItem(ITEM) !== null;
