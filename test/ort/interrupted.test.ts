/**
 * A command that is interrupted at any time prints one line, exits with 128 plus the signal's number, and leaves
 * neither half-written files nor processes behind.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSafetensors } from '../../training/checkpoint/checkpoint.ts';
import { bnEdge, withoutStages } from '../command.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let folder: string;
const at = (...path: readonly string[]): string => join(folder, ...path);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-interrupted-'));
  await mkdir(at('tmp'));
  await copyFile(join(root, 'test/fixtures/penguins.csv'), at('penguins.csv'));
  const train = ['train', 'penguins.csv', '--label', 'species', '--epochs', '1'];
  expect(await bnEdge(train, { cwd: folder })).toMatchObject({ code: 0 });
  expect(await bnEdge(['export', 'runs/penguins'], { cwd: folder })).toMatchObject({ code: 0 });
  // The file is large enough for a signal to arrive while it is read.
  const [head = '', ...rows] = (await readFile(at('penguins.csv'), 'utf8')).trimEnd().split('\n');
  await writeFile(at('large.csv'), [head, ...Array<string[]>(600).fill(rows).flat(), ''].join('\n'));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

/**
 * Lists all files except those that the TypeScript loader, not the command, keeps in the folder for temporary files.
 */
const everything = async (): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true })).filter((path) => !/^tmp.tsx-/.test(path)).sort();

const command = (args: readonly string[]): readonly string[] => [
  process.execPath,
  ...['--import', import.meta.resolve('tsx'), join(root, 'exporter/command/main.ts'), ...args],
];

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Signal = keyof typeof exitCodes;

/** Looks so often that a signal arrives soon after what is waited for, and longer than a busy machine takes. */
const often = { interval: 5, timeout: 100_000 };

/** Starts a command, waits for `until`, and interrupts it. */
async function interrupted(
  args: readonly string[],
  until: (pid: number, output: () => string) => Promise<void>,
  signal: Signal = 'SIGINT',
) {
  const [node = '', ...rest] = command(args);
  const child = spawn(node, rest, { cwd: folder, env: { ...process.env, TMPDIR: at('tmp') } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = once(child, 'close');
  await until(child.pid ?? 0, () => stdout);
  child.kill(signal);
  const [code] = (await exit) as [number | null];
  return { code, stderr: withoutStages(stderr, args[0]) };
}

describe.runIf(process.platform === 'linux')('a signal', { timeout: 120_000 }, () => {
  it.each<[Signal, string, string[]]>([
    ['SIGINT', 'train', ['train', 'large.csv', '--label', 'species']],
    ['SIGTERM', 'train', ['train', 'large.csv', '--label', 'species']],
    ['SIGHUP', 'train', ['train', 'large.csv', '--label', 'species']],
    ['SIGHUP', 'evaluate', ['evaluate', 'runs/penguins', '--data', 'large.csv']],
    ['SIGINT', 'export', ['export', 'runs/penguins', '--data', 'large.csv']],
  ])('%s while %s reads', async (signal, _, args) => {
    const before = await everything();
    const until = async (pid: number) => {
      await vi.waitUntil(() => isReading(pid, at('large.csv')), often);
    };
    expect(await interrupted(args, until, signal)).toEqual({ code: exitCodes[signal], stderr: 'interrupted' });
    expect(await everything()).toEqual(before);
  });

  it.each<Signal>(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s while it trains saves the run', async (signal) => {
    const out = `runs/${signal}`;
    const args = ['train', 'penguins.csv', '--label', 'species', '--epochs', '1000000', '--out', out];
    const until = async (_: number, output: () => string) => {
      await vi.waitUntil(() => output().includes('epoch 3/'), often);
    };
    expect(await interrupted(args, until, signal)).toEqual({
      code: exitCodes[signal],
      stderr: expect.stringMatching(
        new RegExp(`^stopped after step \\d+, all is saved; to resume: bn-edge train --resume --out ${out}$`),
      ) as string,
    });
    expect((await readdir(at(out))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('once a run is trained ends it, and the next one has only to test', async () => {
    const args = ['train', 'penguins.csv', '--label', 'species', '--epochs', '1', '--out', 'runs/tested'];
    const checkpoint = at('runs/tested/checkpoint.safetensors');
    const outcome = await interrupted(args, async () => {
      await vi.waitUntil(() => existsSync(checkpoint), { ...often, interval: 1 });
    });
    // On a busy machine the test part may be scored before the signal arrives.
    if (outcome.code !== 0) {
      expect(outcome.code).toBe(130);
      expect(outcome.stderr).toMatch(/^(interrupted|stopped after training, all is saved; to resume: .*)$/);
    }
    const before = await readFile(checkpoint);
    expect(await bnEdge(['train', '--resume', '--out', 'runs/tested'], { cwd: folder })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await readFile(checkpoint)).toEqual(before);
    expect((await readdir(at('runs/tested'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it.runIf(existsSync('/usr/bin/script'))('comes where a terminal is closed, and a run is saved', async () => {
    const args = ['train', 'penguins.csv', '--label', 'species', '--epochs', '1000000', '--out', 'runs/closed'];
    const quoted = command(args).map((each) => `'${each}'`);
    const terminal = spawn('script', ['-qfc', `exec ${quoted.join(' ')}`, at('typescript')], {
      cwd: folder,
      stdio: 'ignore',
    });
    const exit = once(terminal, 'exit');
    const metrics = at('runs/closed/metrics.jsonl');
    const epochs = async () => (await readFile(metrics, 'utf8').catch(() => '')).split('\n').length;
    await vi.waitUntil(async () => (await epochs()) >= 4, often);
    expect(existsSync(at('runs/closed/.lock'))).toBe(true);
    terminal.kill('SIGKILL');
    await exit;
    await vi.waitUntil(() => !existsSync(at('runs/closed/.lock')), often);
    const { metadata } = await readSafetensors(at('runs/closed/last.safetensors'));
    const { history } = JSON.parse(metadata['bn_edge.progress'] ?? '{}') as { readonly history?: readonly unknown[] };
    expect(history?.length).toBe((await epochs()) - 1);
  });

  it('while build optimizes ends the optimizer, too, and leaves nothing in the folder for temporary files', async () => {
    let optimizer: number | undefined;
    // A model that is compiled whole needs no optimizer.
    const card = JSON.parse(await readFile(at('models/penguins/card.json'), 'utf8')) as object;
    await writeFile(at('models/penguins/card.json'), JSON.stringify({ ...card, engine: 'onnxruntime' }));
    const outcome = await interrupted(
      ['build'],
      async (pid) => {
        optimizer = await vi.waitUntil(() => childOf(pid, 'wasm-opt'), often);
      },
      'SIGHUP',
    );
    expect(outcome).toMatchObject({
      code: 129,
      stderr: expect.stringMatching(/^(image: .*\n)*interrupted$/) as string,
    });
    // A container may keep the process id of an ended process, but not its command.
    expect(await readFile(`/proc/${optimizer}/cmdline`, 'utf8').catch(() => '')).toBe('');
    expect(await readdir(at('.bn-edge'))).toEqual(['.cache', 'built.json']);
    expect((await readdir(at('tmp'))).filter((name) => name.startsWith('bn-edge'))).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')(
  'where files may have no more than a block, as on a full disk,',
  { timeout: 120_000 },
  () => {
    it.each<[string, string[], string]>([
      [
        'a run that replaces another',
        ['train', 'penguins.csv', '--label', 'species', '--overwrite'],
        'runs/penguins/config.json',
      ],
      ['an export', ['export', 'runs/penguins'], 'models/penguins'],
      ['what init writes', ['init', 'fresh'], 'fresh/wrangler.toml'],
    ])('%s fails in one line, and leaves everything as it was', async (_, args, file) => {
      const files = async () => (await everything()).filter((path) => path !== 'fresh' && !path.startsWith('.bn-edge'));
      const before = await files();
      const main = join(root, 'exporter/command/main.ts');
      const command = `ulimit -f 1; exec node --import ${import.meta.resolve('tsx')} ${main} "$@"`;
      const failure: unknown = await run('sh', ['-c', command, 'sh', ...args], { cwd: folder }).catch(
        (error: unknown) => error,
      );
      const line = new RegExp(`^error: \\S*${file}: cannot write: file too large\\n$`);
      expect(failure).toMatchObject({ code: 1, stderr: expect.stringMatching(line) as string });
      expect(await files()).toEqual(before);
    });
  },
);

/** Finds a child process by its command. Returns its id; undefined where there is none. */
async function childOf(parent: number, command: string): Promise<number | undefined> {
  const { stdout } = await run('pgrep', ['-P', String(parent), '-f', command]).catch(() => ({ stdout: '' }));
  return Number(stdout.split('\n')[0]) || undefined;
}

/** Returns whether a process has a file open. */
async function isReading(pid: number, file: string): Promise<boolean> {
  const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const paths = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return paths.includes(file);
}
