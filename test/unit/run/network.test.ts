import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findNetwork } from '../../../training/run/network.ts';
import { networks } from '../../../training/network/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'network-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, source: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, source);
  return path;
}

describe('the network of the command line', () => {
  test('is one of the catalogue', async () => {
    expect(await findNetwork('mnist-mlp')).toBe(networks['mnist-mlp']);
  });

  test('or the default export of a TypeScript file', async () => {
    const network = { name: 'own', inputShape: [4], inputNormalization: 'feature', layers: [{ kind: 'relu' }] };
    const path = await file('own.ts', `const n: object = ${JSON.stringify(network)};\nexport default n;\n`);
    expect(await findNetwork(path)).toEqual(network);
  });

  test.each([
    ['none.ts', undefined, 'cannot load: '],
    ['throws.ts', 'throw new Error("no");', 'cannot load: Error: no'],
    ['empty.ts', 'export const network = 1;', 'expected a network as default export: '],
    ['wrong.ts', 'export default { name: "n", layers: [{ kind: "dense", units: "many" }] };', 'layers[0].units'],
  ])('%s is refused in one line', async (name, source, message) => {
    const path = source === undefined ? join(folder, name) : await file(name, source);
    const error: unknown = await findNetwork(path).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(message);
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain('\n');
  });

  test('an unknown name is answered with the known ones', async () => {
    await expect(findNetwork('mnist')).rejects.toThrow(
      `--network: expected ${Object.keys(networks).join(', ')} or a .ts file, got "mnist"`,
    );
  });
});
