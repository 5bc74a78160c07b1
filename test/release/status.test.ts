/**
 * `bn-edge status` runs with the real Wrangler and a stand-in for Cloudflare, in a project whose Worker is a line of
 * JavaScript.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../exporter/deploy/fingerprint.ts';
import { wranglerEntry } from '../../exporter/deploy/wrangler.ts';
import { bnEdge } from '../command.ts';
import { type Cloudflare, startCloudflare, versionId } from './cloudflare.ts';

let folder: string;
let cloudflare: Cloudflare;
const at = (...path: readonly string[]): string => join(folder, ...path);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function put(path: string, content: string): Promise<void> {
  await mkdir(at(path, '..'), { recursive: true });
  await writeFile(at(path), content);
}

const card = (version: string, model: string) =>
  JSON.stringify({ version, files: { 'model.onnx': { sha256: sha256(model), bytes: model.length } } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-status-'));
  cloudflare = await startCloudflare();
  await put('wrangler.toml', 'name = "bn-edge"\nmain = "index.js"\ncompatibility_date = "2026-10-23"\n');
  await put('index.js', 'export default { fetch: () => new Response() };\n');
  await put('models/churn/model.onnx', 'churn 2');
  await put('models/churn/card.json', card('2', 'churn 2'));
  await put('models/churn/versions/1/model.onnx', 'churn 1');
  await put('models/churn/versions/1/card.json', card('1', 'churn 1'));
  await put('models/foreign/resnet.onnx', 'foreign');
});
afterAll(async () => {
  cloudflare.stop();
  await rm(folder, { recursive: true });
});

const status = async (...args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await bnEdge(['status', ...args, '--json'], { cwd: folder, env: cloudflare.env });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

/** Deploys as a release does. */
async function deploy(tag: string): Promise<void> {
  const args = [wranglerEntry(), 'deploy', '--message', 'churn version 2', '--tag', tag];
  await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...cloudflare.env, CI: '1' },
  });
}

const churn = {
  name: 'churn',
  version: '2',
  sha256: sha256('churn 2'),
  kept: { version: '1', sha256: sha256('churn 1') },
  isIntact: true,
};
const foreign = { name: 'foreign', version: '1', sha256: sha256('foreign'), kept: null, isIntact: true };
const live = { id: versionId(1), percentage: 100, message: 'churn version 2' };

// Its tests tell a story: each goes on where the one before has stopped.
describe('bn-edge status', { shuffle: false }, () => {
  it('tells the models, and a deployed Worker that this command did not make as unknown', async () => {
    expect(await status()).toEqual({
      models: [churn, foreign],
      platform: { isKnown: true, versions: [{ id: versionId(0), percentage: 100, holds: 'unknown' }] },
    });
  });

  it('tells that there is no Worker yet', async () => {
    cloudflare.disturb(() => 'missing');
    expect(await status()).toMatchObject({ platform: { isKnown: true, versions: [] } });
    cloudflare.disturb(() => undefined);
  });

  it('tells whether what is deployed holds the models as they are', async () => {
    const tag = await fingerprint(at('models'));
    await deploy(tag);
    expect(await status('churn')).toEqual({
      models: [churn],
      platform: { isKnown: true, versions: [{ ...live, tag, holds: 'these' }] },
    });
    await put('models/foreign/resnet.onnx', 'another');
    expect(await status('foreign')).toMatchObject({ platform: { versions: [{ ...live, tag, holds: 'others' }] } });
  });

  it('tells of a file that is not the one of its card', async () => {
    await put('models/churn/model.onnx', 'damaged');
    expect(await status('churn')).toMatchObject({ models: [{ isIntact: false, sha256: sha256('damaged') }] });
  });

  it('says so, and succeeds, where the platform cannot be asked', async () => {
    const env = { ...cloudflare.env, CLOUDFLARE_API_TOKEN: '' };
    const { code, stdout, stderr } = await bnEdge(['status'], { cwd: folder, env });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/│ churn +│ +2 │/);
    expect(stdout).toMatch(/\ndeployed: unknown: wrangler deployments status: .*CLOUDFLARE_API_TOKEN/);
    expect(code).toBe(0);
  });
});
