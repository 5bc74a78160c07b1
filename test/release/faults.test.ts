/**
 * After a release that fails, the folder of models says what is deployed, or that it is unknown. The tests run
 * the real Wrangler and a stand-in for Cloudflare, in a project whose Worker is a line of JavaScript.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readFolder, versionOf } from '../../exporter/store/versions.ts';
import { bnEdge, type Outcome } from '../command.ts';
import { type Cloudflare, type Disturbance, startCloudflare } from './cloudflare.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;
let cloudflare: Cloudflare;
const at = (...path: readonly string[]): string => join(folder, ...path);

async function put(path: string, content: string): Promise<void> {
  await mkdir(at(path, '..'), { recursive: true });
  await writeFile(at(path), content);
}

const card = (version: string, model: string): string => {
  const sha256 = createHash('sha256').update(model).digest('hex');
  return JSON.stringify({ version, files: { 'model.onnx': { sha256, bytes: model.length } } });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-faults-'));
  await put('wrangler.toml', 'name = "bn-edge"\nmain = "index.js"\ncompatibility_date = "2026-10-23"\n');
  await put('index.js', 'export default { fetch: () => new Response() };\n');
  for (const [place, version] of [
    ['', '2'],
    ['versions/1/', '1'],
  ] as const) {
    await put(`whole/churn/${place}model.onnx`, `churn ${version}`);
    await put(`whole/churn/${place}card.json`, card(version, `churn ${version}`));
  }
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  await rm(at('models'), { recursive: true, force: true });
  await cp(at('whole'), at('models'), { recursive: true });
  cloudflare = await startCloudflare();
  return () => {
    cloudflare.stop();
  };
});

const environment = () => ({ ...cloudflare.env, CI: '1' });
const rollback = (env = {}): Promise<Outcome> =>
  bnEdge(['rollback', 'churn'], { cwd: folder, env: { ...environment(), ...env } });
const version = async (): Promise<string> => versionOf(await readFolder(at('models'), 'churn'));
const lastLine = ({ stderr }: Pick<Outcome, 'stderr'>): string => stderr.trimEnd().split('\n').at(-1) ?? '';
const back = 'churn version 1, back from 2';

const when =
  (pattern: RegExp, disturbance: Disturbance) =>
  (call: string): Disturbance | undefined =>
    pattern.test(call) ? disturbance : undefined;

describe('a deployment that fails', () => {
  it.each<[string, RegExp, Disturbance, deployed: boolean, fate: string]>([
    [
      'before the upload',
      /^POST .*\/versions\?/,
      'refuse',
      false,
      'nothing is deployed, and models/churn is as it was',
    ],
    ['in the upload', /^POST .*\/versions\?/, 'break', false, 'nothing is deployed, and models/churn is as it was'],
    [
      'between upload and deployment',
      /^POST .*\/deployments$/,
      'refuse',
      false,
      'nothing is deployed, and models/churn is as it was',
    ],
    [
      'with its answer lost',
      /^POST .*\/deployments$/,
      'lose',
      true,
      `${back} is deployed all the same, and models/churn says so`,
    ],
    [
      'after it was deployed',
      /\/subdomain$|workers\/workers/,
      'refuse',
      true,
      `${back} is deployed all the same, and models/churn says so`,
    ],
  ])('%s leaves the folder as what is deployed', async (_, pattern, disturbance, deployed, fate) => {
    const before = cloudflare.deployments.length;
    cloudflare.disturb(when(pattern, disturbance));
    const outcome = await rollback();
    expect(lastLine(outcome)).toBe(`error: wrangler deploy: exit code 1: ${fate}`);
    expect(outcome.code).toBe(1);
    expect(cloudflare.deployments.length > before).toBe(deployed);
    expect(await version()).toBe(deployed ? '1' : '2');
    expect((await readdir(at('models'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('and of which the platform tells nothing is said to be unknown', async () => {
    let isLost = false;
    cloudflare.disturb((call) => {
      isLost ||= /^POST .*\/deployments$/.test(call);
      return isLost ? 'refuse' : undefined;
    });
    const outcome = await rollback();
    expect(lastLine(outcome)).toMatch(
      /^error: wrangler deploy: exit code 1: whether churn version 1, back from 2 is deployed is not known \(wrangler deployments status: .+\); models\/churn is as it was, and bn-edge status compares it with the platform$/,
    );
    expect(await version()).toBe('2');
  });
});

/** Starts a rollback, and acts on its process once the matching call has arrived. */
async function meet(pattern: RegExp, disturbance: Disturbance, act: (child: ChildProcess) => void) {
  const arrived = new Promise<void>((resolve) => {
    cloudflare.disturb((call) => {
      if (!pattern.test(call)) return undefined;
      resolve();
      cloudflare.disturb(() => undefined);
      return disturbance;
    });
  });
  const main = join(root, 'exporter/command/main.ts');
  const args = ['--import', import.meta.resolve('tsx'), main, 'rollback', 'churn'];
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, ...environment() } });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = once(child, 'close');
  await arrived;
  const started = await startedBy(child.pid ?? 0);
  act(child);
  const [code] = (await exit) as [number | null];
  return { code, line: lastLine({ stderr }), started };
}

const upload = /^POST .*\/versions\?/;
const afterDeployment = /\/subdomain$|workers\/workers/;

/** Lists the processes below a parent. */
async function startedBy(parent: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(parent)]).catch(() => ({ stdout: '' }));
  const children = stdout.split('\n').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(startedBy))).flat()];
}

/**
 * Returns a process's command line. In a container, a process that has ended may keep its number, but has no command
 * line.
 */
const commandOf = (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('in the upload ends Wrangler, and nothing is deployed: %s', async (signal, code) => {
    const before = cloudflare.deployments.length;
    expect(await meet(upload, 'hang', (child) => void child.kill(signal))).toMatchObject({
      code,
      line: 'interrupted: nothing is deployed, and models/churn is as it was',
    });
    expect(await version()).toBe('2');
    expect(cloudflare.deployments).toHaveLength(before);
    expect(await readdir(at('models'))).toEqual(['churn']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('after the deployment finds it deployed: %s', async (signal, code) => {
    expect(await meet(afterDeployment, 'hang', (child) => void child.kill(signal))).toMatchObject({
      code,
      line: `interrupted: ${back} is deployed all the same, and models/churn says so`,
    });
    expect(await version()).toBe('1');
    expect(await readdir(at('models'))).toEqual(['churn']);
  });
});

describe.runIf(process.platform === 'linux')('kill -9', () => {
  const kill = (child: ChildProcess) => void child.kill('SIGKILL');

  /** Kills the rollback at that call, and checks that none of its child processes is left. */
  async function killed(pattern: RegExp): Promise<void> {
    const { code, line, started } = await meet(pattern, 'hang', kill);
    expect({ code, line }).toEqual({ code: null, line: expect.stringMatching(/^(rollback: .*)?$/) as string });
    expect(started.length).toBeGreaterThan(1);
    await vi.waitFor(async () => {
      expect(await Promise.all(started.map(commandOf))).toEqual(started.map(() => ''));
    });
    expect(await readdir(at('models'))).toEqual(['.churn.former', '.release.lock', 'churn']);
  }

  it('in the upload ends Wrangler too, and the next one goes on from what is deployed', async () => {
    await killed(upload);
    const { code, stdout, stderr } = await rollback();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('models/churn: a release was killed: nothing was deployed, and it is as it was\n');
    expect(stdout).toContain(`deployed ${back}\n`);
    expect(await readdir(at('models'))).toEqual(['churn']);
  });

  it('after the deployment is not done a second time, which would undo it', async () => {
    await killed(afterDeployment);
    const deployments = cloudflare.deployments.length;
    const { code, stderr } = await rollback();
    expect(lastLine({ stderr })).toBe(
      `error: models/churn: a release was killed: ${back} is deployed all the same, and it says so now; this command has done nothing else`,
    );
    expect(code).toBe(1);
    expect(await version()).toBe('1');
    expect(cloudflare.deployments).toHaveLength(deployments);
    expect(await readdir(at('models'))).toEqual(['churn']);
  });

  it('of a release leaves it for the next one, where the platform cannot be asked', async () => {
    await meet(upload, 'hang', kill);
    const before = await readFolder(at('models'), 'churn');
    cloudflare.disturb(() => 'refuse');
    expect((await rollback()).stderr).toMatch(
      /^error: models\/churn: what a release that was killed has deployed is not known: wrangler deployments status: /m,
    );
    expect(await readFolder(at('models'), 'churn')).toEqual(before);
    expect(await readdir(at('models'))).toEqual(['.churn.former', 'churn']);
  });

  it('of the process that does the work is no success, although the exit code of Wrangler is 0', async () => {
    const before = cloudflare.deployments.length;
    let killed: Promise<void> | undefined;
    const outcome = await meet(upload, 'hang', (child) => {
      killed = startedBy(child.pid ?? 0).then(async (all) => {
        const commands = await Promise.all(all.map(commandOf));
        process.kill(all[commands.findIndex((command) => command.includes('wrangler-dist/cli.js'))] ?? 0, 'SIGKILL');
      });
    });
    await killed;
    expect(outcome).toMatchObject({
      code: 1,
      line: 'error: wrangler deploy: it ended before it was done: nothing is deployed, and models/churn is as it was',
    });
    expect(await version()).toBe('2');
    expect(cloudflare.deployments).toHaveLength(before);
  });
});

describe('before anything is built, a release', () => {
  it.each<[string, () => Promise<void>, string]>([
    [
      'of files that are not those of their cards',
      () => put('models/churn/versions/1/model.onnx', 'tampered'),
      `models/churn/versions/1/model.onnx: expected sha256 ${createHash('sha256').update('churn 1').digest('hex')}, as the card says, got ${createHash('sha256').update('tampered').digest('hex')}`,
    ],
    [
      'of files that are gone',
      () => rm(at('models/churn/versions/1/model.onnx')),
      'models/churn/versions/1/model.onnx: expected the file that the card describes, got none',
    ],
    [
      'beside another model with a card that is none',
      () => put('models/other/card.json', '{"version": 1}'),
      'models/other/card.json: version: expected a text, got 1',
    ],
    [
      'beside another release',
      () => put('models/.release.lock', `${process.pid} - ${hostname()} x`),
      `models: expected no other release in it, got one by process ${process.pid} (if that is none, remove models/.release.lock)`,
    ],
  ])('%s is refused in one line', async (_, prepare, line) => {
    await prepare();
    const outcome = await rollback();
    expect(outcome.stderr).toBe(`error: ${line}`);
    expect(outcome.code).toBe(1);
    expect(cloudflare.uploads).toHaveLength(0);
  });

  it('of somebody who may not deploy is refused in one line', async () => {
    const outcome = await rollback({ CLOUDFLARE_API_TOKEN: '' });
    expect(outcome.stderr).toMatch(/^error: wrangler deployments status: .*CLOUDFLARE_API_TOKEN.*$/);
    expect(outcome.code).toBe(1);
    expect(await version()).toBe('2');
  });

  it('puts back what a killed process had moved away', async () => {
    await mkdir(at('models/.churn-Ab12Cd'));
    await cp(at('models/churn'), at('models/.churn-Ab12Cd/old'), { recursive: true });
    await rm(at('models/churn'), { recursive: true });
    const { code, stdout, stderr } = await rollback();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('models/churn: put back in its place, which a killed process had left empty');
    expect(await version()).toBe('1');
    expect(await readdir(at('models'))).toEqual(['churn']);
  });

  it('tells what is deployed', async () => {
    const { stdout } = await rollback();
    expect(stdout).toMatch(/^deployed: 100 % of the traffic to unknown models \(no message; [0-9-]+\)\n/);
  });
});
