/** SECURITY.md lists the packages whose code is deployed with a Worker. */
import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** The licences that only require naming the authors. */
const permissive = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'];

async function deployed(): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: ['worker/create-worker.ts'],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const packages = Object.entries(metafile.outputs).flatMap(([, { inputs }]) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
      const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path) ?? [];
      return name !== undefined && bytesInOutput > 0 ? [name] : [];
    }),
  );
  return [...new Set(packages)].toSorted();
}

it('the bundle is made of the packages that SECURITY.md names, and of no other', async () => {
  const text = (await readFile('SECURITY.md', 'utf8')).replaceAll(/\s+/g, ' ');
  const [, list = ''] = /what is deployed is the bundle, made of (.*?), and for the page/.exec(text) ?? [];
  const named = Array.from(list.matchAll(/`([^`]+)`/g), ([, name = '']) => name);
  // The runtime is part of the image, which a build writes.
  expect(named.filter((name) => name !== 'onnxruntime-web').toSorted()).toEqual(await deployed());
});

it('each of them is under a licence that asks for a notice at most', async () => {
  for (const name of [...(await deployed()), 'onnxruntime-web']) {
    const { license } = JSON.parse(await readFile(`node_modules/${name}/package.json`, 'utf8')) as { license?: string };
    expect([name, permissive.includes(license ?? '')]).toEqual([name, true]);
  }
});
