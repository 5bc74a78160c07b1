import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The version of this package, which finds itself by its name: so the sources and what is built from them lie where they like. */
export function packageVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('bn-edge/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
  return version;
}
