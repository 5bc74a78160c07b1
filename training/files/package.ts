/** Finds parts of this package, wherever its sources or built files lie. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Returns the version of this package. The package resolves itself by its name, so the sources and the built files may
 * lie anywhere.
 */
export function packageVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('bn-edge/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
  return version;
}

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
