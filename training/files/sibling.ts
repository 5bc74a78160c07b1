/**
 * Returns the URL of a module beside the caller, to be started as a process or a thread. Its ending is `.ts` where the
 * sources run, and `.js` where the built files run.
 *
 * @param importMetaUrl `import.meta.url` of the caller
 * @param name is relative to the caller's module and has no ending
 */
export function siblingModule(importMetaUrl: string, name: string): URL {
  const ending = importMetaUrl.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`${name}.${ending}`, importMetaUrl);
}
