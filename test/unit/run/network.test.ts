import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as api from '../../../training/index.ts';
import { findNetwork } from '../../../training/run/choose-network.ts';
import * as network from '../../../training/network/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'network-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, source: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, source);
  return path;
}

const refusal = (path: string): Promise<string> => findNetwork(path).then(String, (error: unknown) => String(error));

const { networks } = network;
const own = { name: 'own', inputShape: [4], inputNormalization: 'feature', layers: [{ kind: 'dense', units: 3 }] };
const rest = `name: 'own', inputShape: [4], inputNormalization: 'feature'`;

describe('the network of the command line', () => {
  test('is one of the catalogue', async () => {
    expect(await findNetwork('mnist-mlp')).toBe(networks['mnist-mlp']);
  });

  test.each([
    [
      'the default export of a TypeScript file',
      'a/own.ts',
      `const n: object = ${JSON.stringify(own)};\nexport default n;`,
    ],
    [
      'made with the layers of the package that runs, which is not installed there',
      'b/own.ts',
      `import { dense, type Network } from 'bn-edge';\nexport default { ${rest}, layers: [dense(3)] } satisfies Network;`,
    ],
    [
      'the same in JavaScript',
      'c/own.js',
      `import { dense } from 'bn-edge';\nexport default { ${rest}, layers: [dense(3)] };`,
    ],
    ['an ES module', 'd/own.mjs', `import * as bn from 'bn-edge';\nexport default { ${rest}, layers: [bn.dense(3)] };`],
    ['a CommonJS module', 'e/own.cjs', `module.exports = { ${rest}, layers: [{ kind: 'dense', units: 3 }] };`],
    ['plain JSON', 'f/own.json', JSON.stringify(own)],
    [
      'made with built-in modules, at the top level of the module',
      'g/own.ts',
      `import { readFile } from 'node:fs/promises';\nconst { layers } = JSON.parse(await readFile(new URL('layers.json', import.meta.url), 'utf8'));\nexport default { ${rest}, layers };`,
    ],
  ])('is %s', async (_, name, source) => {
    await file('g/layers.json', JSON.stringify(own));
    expect(await findNetwork(await file(name, source))).toEqual(own);
  });

  test('may import what lies around it: other files, data and installed packages', async () => {
    await file('h/tsconfig.json', '{ broken');
    await file('h/parts/width.ts', 'export const width: number = 3;');
    await file('h/inputs.json', '{ "shape": [4] }');
    await file('h/node_modules/normal/package.json', '{ "name": "normal", "type": "module", "exports": "./index.js" }');
    await file('h/node_modules/normal/index.js', "export const normal = 'feature';");
    const path = await file(
      'h/own.ts',
      [
        "import { dense } from 'bn-edge';",
        "import { normal } from 'normal';",
        "import inputs from './inputs.json';",
        "import { width } from './parts/width';",
        "export default { name: 'own', inputShape: inputs.shape, inputNormalization: normal, layers: [dense(width)] };",
      ].join('\n'),
    );
    expect(await findNetwork(path)).toEqual(own);
  });

  test('is read without writing anything beside it', async () => {
    const path = await file('i/own.ts', `export default ${JSON.stringify(own)};`);
    await chmod(dirname(path), 0o555);
    expect(await findNetwork(path)).toEqual(own);
    expect(await readdir(dirname(path))).toEqual(['own.ts']);
    await chmod(dirname(path), 0o755);
  });

  test.each([
    ['none.ts', undefined, 'none.ts: cannot read: no such file or directory'],
    ['none.json', undefined, 'none.json: cannot read: no such file or directory'],
    ['broken.json', '{ "name": ', 'broken.json: expected JSON, got "{'],
    ['broken.ts', 'const a = 1;\nexport default {{;', 'broken.ts:2:17: Expected'],
    ['throws.ts', 'const why: string = "no";\nthrow new Error(why);', 'throws.ts:2:7: cannot load: Error: no'],
    [
      'lost.ts',
      '\n\nimport { a } from "no-such-package";\nexport default a;',
      'lost.ts:3:19: Could not resolve "no-such-package"',
    ],
    ['typo.ts', "import { dens } from 'bn-edge';\nexport default dens(3);", 'typo.ts:1:10: No matching export'],
    ['empty.ts', 'export const network = 1;', 'empty.ts: expected a network as default export: '],
    ['empty.json', '[]', 'empty.json: expected a network: '],
    ['wrong.ts', 'export default { name: "n", layers: [{ kind: "dense", units: "many" }] };', 'layers[0].units'],
    ['uncalled.ts', `import { relu } from 'bn-edge';\nexport default { ${rest}, layers: [relu] };`, 'got a function'],
  ])('%s is refused in one line', async (name, source, message) => {
    const path = source === undefined ? join(folder, name) : await file(name, source);
    expect(await refusal(path)).toContain(message);
    expect(await refusal(path)).toContain(path);
    expect(await refusal(path)).not.toContain('\n');
  });

  test('an unknown name is answered with the known ones', async () => {
    await expect(findNetwork('mnist')).rejects.toThrow(
      `--network: expected ${Object.keys(networks).join(', ')}, or a .ts, .js or .json file, got "mnist"`,
    );
  });
});

test('the package exports the function of every kind of layer', () => {
  const settings: Readonly<Record<network.LayerKind, network.Layer>> = {
    dense: api.dense(1),
    conv2d: api.conv2d(1, { kernel: 1 }),
    batchNorm: api.batchNorm(),
    layerNorm: api.layerNorm(),
    relu: api.relu(),
    leakyRelu: api.leakyRelu(),
    sigmoid: api.sigmoid(),
    tanh: api.tanh(),
    gelu: api.gelu(),
    softmax: api.softmax(),
    maxPool: api.maxPool(2),
    averagePool: api.averagePool(2),
    globalAveragePool: api.globalAveragePool(),
    flatten: api.flatten(),
    members: api.members(2),
    heads: api.heads(2),
    dropout: api.dropout(0.5),
    encodeNumbers: api.encodeNumbers(),
    encodeCategories: api.encodeCategories(),
    residual: api.residual([]),
  };
  for (const [kind, layer] of Object.entries(settings)) expect(layer.kind).toBe(kind);
});

describe('a description without defaults', () => {
  test('has those of the layers that are made in code', async () => {
    const layers = [
      { kind: 'conv2d', channels: 2, kernel: 3 },
      { kind: 'batchNorm' },
      { kind: 'leakyRelu' },
      { kind: 'maxPool', kernel: 2 },
      { kind: 'residual', layers: [{ kind: 'averagePool', kernel: 1 }] },
      { kind: 'flatten' },
      { kind: 'layerNorm' },
      { kind: 'dense', units: 2 },
    ];
    const path = await file('short.json', JSON.stringify({ name: 'short', inputShape: [1, 8, 8], layers }));
    const { averagePool, batchNorm, conv2d, dense, flatten, layerNorm, leakyRelu, maxPool, residual } = network;
    expect(await findNetwork(path)).toEqual({
      name: 'short',
      inputShape: [1, 8, 8],
      inputNormalization: 'channel',
      layers: [
        conv2d(2, { kernel: 3 }),
        batchNorm(),
        leakyRelu(),
        maxPool(2),
        residual([averagePool(1)]),
        flatten(),
        layerNorm(),
        dense(2),
      ],
    });
    const rows = await file('rows.json', JSON.stringify({ name: 'rows', inputShape: [4], layers: [] }));
    expect((await findNetwork(rows)).inputNormalization).toBe('feature');
  });

  test.each([
    ['export default 10n;', 'a bigint'],
    ['export default Symbol("net");', 'a symbol'],
    [`export default { ${rest}, layers: 10n };`, 'a bigint'],
    [`export default { ${rest}, layers: { deep: [10n] } };`, '{"deep":["10n"]}'],
    [`export default { ${rest}, layers: [{ kind: 'dense', units: 64n }] };`, 'a bigint'],
    [`export default { ${rest}, layers: [{ kind: Symbol('dense'), units: 64 }] };`, 'a symbol'],
    [`const loop = {}; loop.loop = loop; export default { ${rest}, layers: loop };`, 'more'],
  ])('is refused in one line: %s', async (source, got) => {
    const message = await refusal(await file('strange.mjs', source));
    expect(message).toMatch(/^UserError: [^\n]*: expected a network as default export: [^\n]*$/);
    expect(message).toContain(`got ${got}`);
  });
});
