/**
 * Returns the types of an image as one text without imports: image-declarations.ts, with the type files that it
 * imports, above all the contract with the Worker, pasted in place. The sources are valid as declarations, and so are
 * the `.d.ts` files compiled from them.
 */
import { readFile } from 'node:fs/promises';
import { siblingModule } from '../../training/files/index.ts';

const typeImport = /^(?:import|export) type [^;]*? from '(?<path>\.[^']+)\.ts';\n/gm;

export async function declarations(): Promise<string> {
  return inlined(siblingModule(import.meta.url, './image-declarations'), new Set());
}

/** @param seen addresses of the files that are in the text already */
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
