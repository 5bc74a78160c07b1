/**
 * A module beside the one that asks, to be started as a program or a thread of its own: `.ts` where the sources run, `.js` where
 * what was built from them does.
 *
 * @param importMetaUrl `import.meta.url` of the module that asks
 * @param name relative to it, without ending
 */
export function siblingModule(importMetaUrl: string, name: string): URL {
  const ending = importMetaUrl.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`${name}.${ending}`, importMetaUrl);
}
