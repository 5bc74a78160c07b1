/**
 * The types of an image as one text that imports nothing: image-declarations.ts with the files of types that it names, the contract
 * with the Worker first of all, in place. Their source is valid as declarations; what it is compiled to is just that.
 */
import { readFile } from 'node:fs/promises';
import { siblingModule } from '../../training/files/index.ts';

const typeImport = /^(?:import|export) type [^;]*? from '(?<path>\.[^']+)\.ts';\n/gm;

export async function declarations(): Promise<string> {
  return inlined(siblingModule(import.meta.url, './image-declarations'), new Set());
}

/** @param seen the addresses of what stands in the text already */
async function inlined(module: URL, seen: Set<string>): Promise<string> {
  if (seen.has(module.href)) return '';
  seen.add(module.href);
  const text = await readFile(new URL(module.href.replace(/\.js$/, '.d.ts')), 'utf8');
  const others: string[] = [];
  for (const { groups } of text.matchAll(typeImport))
    others.push(await inlined(siblingModule(module.href, groups?.['path'] ?? ''), seen));
  const own = text.replaceAll(typeImport, '').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
  return [own, ...others].filter((part) => part !== '').join('\n');
}
