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
