/** Ctrl-C at any time: one line, exit code 130, nothing half-written, and no process left behind. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bnEdge } from '../command.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let folder: string;
const at = (...path: readonly string[]): string => join(folder, ...path);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-interrupted-'));
  await copyFile(join(root, 'test/fixtures/penguins.csv'), at('penguins.csv'));
  const train = ['train', 'penguins.csv', '--label', 'species', '--epochs', '1'];
  expect(await bnEdge(train, { cwd: folder })).toMatchObject({ code: 0 });
  expect(await bnEdge(['export', 'runs/penguins'], { cwd: folder })).toMatchObject({ code: 0 });
  // Large enough to be met while it is read.
  const [head = '', ...rows] = (await readFile(at('penguins.csv'), 'utf8')).trimEnd().split('\n');
  await writeFile(at('large.csv'), [head, ...Array<string[]>(600).fill(rows).flat(), ''].join('\n'));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const everything = async (): Promise<readonly string[]> => (await readdir(folder, { recursive: true })).sort();

/** Starts a command, waits for something, and interrupts it. */
async function interrupted(args: readonly string[], until: (pid: number) => Promise<void>) {
  const main = join(root, 'exporter/command/main.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], { cwd: folder });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = once(child, 'close');
  await until(child.pid ?? 0);
  child.kill('SIGINT');
  const [code] = (await exit) as [number | null];
  return { code, stderr };
}

describe.runIf(process.platform === 'linux')('Ctrl-C', { timeout: 120_000 }, () => {
  it.each<[string, string[]]>([
    ['train', ['train', 'large.csv', '--label', 'species']],
    ['evaluate', ['evaluate', 'runs/penguins', '--data', 'large.csv']],
    ['export', ['export', 'runs/penguins', '--data', 'large.csv']],
  ])('while %s reads', async (_, args) => {
    const before = await everything();
    const outcome = await interrupted(args, async (pid) => {
      while (!(await isReading(pid, at('large.csv')))) await sleep(5);
    });
    expect(outcome).toEqual({ code: 130, stderr: 'interrupted\n' });
    expect(await everything()).toEqual(before);
  });

  it('while build optimizes ends the optimizer, too', async () => {
    const scratch = () =>
      readdir(tmpdir()).then((names) => names.filter((name) => name.startsWith('bn-edge-optimize-')));
    const before = await scratch();
    let optimizer = 0;
    // What is compiled whole needs no optimizer.
    const card = JSON.parse(await readFile(at('models/penguins/card.json'), 'utf8')) as object;
    await writeFile(at('models/penguins/card.json'), JSON.stringify({ ...card, engine: 'onnxruntime' }));
    const outcome = await interrupted(['build'], async (pid) => {
      while (optimizer === 0) {
        optimizer = await childOf(pid, 'wasm-opt');
        await sleep(20);
      }
    });
    expect(outcome).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/^(image: .*\n)*interrupted\n$/) as string,
    });
    // Of one that has ended a container may keep the number, but no command.
    expect(await readFile(`/proc/${optimizer}/cmdline`, 'utf8').catch(() => '')).toBe('');
    expect(await readdir(at('.bn-edge'))).toEqual(['.cache', 'built.json']);
    expect(await scratch()).toEqual(before);
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

/** The number of a process that another one has started, found by its command; 0 where there is none. */
async function childOf(parent: number, command: string): Promise<number> {
  const { stdout } = await run('pgrep', ['-P', String(parent), '-f', command]).catch(() => ({ stdout: '' }));
  return Number(stdout.split('\n')[0]);
}

/** Whether a process has a file open. */
async function isReading(pid: number, file: string): Promise<boolean> {
  const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const paths = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return paths.includes(file);
}
