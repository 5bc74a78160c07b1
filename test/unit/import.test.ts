/** Importing the package is cheap: a program that needs a layer loads no readers, schemas or packages. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { networks, parseNetwork, readNpy, UserError } from '../../exporter/index.ts';

const root = join(import.meta.dirname, '../..');

/** Returns the modules and packages that importing an entry point loads, without those that functions import later. */
async function loadedWith(entry: string): Promise<{ readonly modules: string[]; readonly packages: string[] }> {
  const options = {
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
  } as const;
  const { metafile } = await build({
    ...options,
    entryPoints: [entry],
    packages: 'external',
    splitting: true,
    outdir: 'x',
  });
  const outputs = new Map(Object.entries(metafile.outputs));
  const [first] = [...outputs].filter(([, { entryPoint }]) => entryPoint === entry).map(([path]) => path);
  const [reached, packages] = [new Set([first ?? '']), new Set<string>()];
  for (const path of reached) {
    for (const { path: other, kind, external } of outputs.get(path)?.imports ?? []) {
      if (kind !== 'import-statement') continue;
      if (external !== true) reached.add(other);
      else if (!other.startsWith('node:')) packages.add(other);
    }
  }
  const modules = [...reached].flatMap((path) => Object.keys(outputs.get(path)?.inputs ?? {}));
  return { modules, packages: [...packages] };
}

describe('what is loaded with', () => {
  it("`import 'bn-edge'` is a few modules and no package", async () => {
    const { modules, packages } = await loadedWith('exporter/index.ts');
    expect(packages).toEqual([]);
    expect(modules).toContain('training/network/layer.ts');
    expect(modules.length).toBeLessThan(25);
  });
});

describe('what is loaded later answers as what is loaded at once', () => {
  it('a network that JSON describes', async () => {
    const network = networks['mnist-mlp'];
    expect(await parseNetwork(JSON.parse(JSON.stringify(network)))).toEqual(network);
    await expect(parseNetwork({ layers: 7 })).rejects.toThrow(UserError);
  });

  it('a file', async () => {
    await expect(readNpy('nope.npy')).rejects.toThrow('nope.npy: cannot read: no such file or directory');
  });
});
