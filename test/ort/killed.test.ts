/**
 * A run of `bn-edge train` that is killed and resumed from any directory ends with the bits of a run that never
 * stopped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../training/checkpoint/checkpoint.ts';
import { createRandom } from '../../training/data/index.ts';
import { bnEdge, withoutStages } from '../command.ts';

const root = join(import.meta.dirname, '../..');
/** So many that an epoch is a small part of the run, however late a signal arrives. */
const epochs = 400;
let folder: string;
const at = (...path: readonly string[]): string => join(folder, ...path);

/** Penguins have gaps, so the network includes the imputation. */
const network = `export default {
  name: 'birds',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [
    { kind: 'dense', units: 16 }, { kind: 'batchNorm', epsilon: 1e-5 }, { kind: 'relu' },
    { kind: 'dropout', rate: 0.2 }, { kind: 'dense', units: 3 },
  ],
};
`;
const begin = ['train', 'penguins.csv', '--label', 'species', '--network', './networks/birds.ts'];
const settings = ['--epochs', String(epochs), '--batch-size', '16', '--ema', '0.9', '--seed', '5', '--threads', '1'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-killed-'));
  for (const each of ['project/networks', 'elsewhere']) await mkdir(at(each), { recursive: true });
  await copyFile(join(root, 'test/fixtures/penguins.csv'), at('project/penguins.csv'));
  await writeFile(at('project/networks/birds.ts'), network);
  const whole = [...begin, ...settings, '--out', 'runs/whole'];
  expect(await bnEdge(whole, { cwd: at('project') })).toMatchObject({ code: 0 });
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command until it has printed that epoch or a later one, since not every epoch has a line. */
async function stopAfter(epoch: number, signal: NodeJS.Signals, cwd: string, args: readonly string[]) {
  const main = join(root, 'exporter/command/main.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], { cwd });
  const exit = once(child, 'exit');
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const told = (line: string) => Number(/^epoch (\d+)\//.exec(line)?.[1]);
  for await (const line of createInterface(child.stdout)) if (told(line) >= epoch && !child.killed) child.kill(signal);
  const [code, by] = (await exit) as [number | null, NodeJS.Signals | null];
  return { code, by, stderr: withoutStages(stderr, args[0]) };
}

/** Reads the tensors only: the files also hold the path of the data, which differs. */
const tensors = (run: string) =>
  Promise.all(
    ['last', 'best', 'checkpoint'].map(async (name) => [
      ...(await readSafetensors(at('project/runs', run, `${name}.safetensors`))).tensors,
    ]),
  );

interface Recorded {
  readonly arguments: readonly string[];
  readonly directory: string;
}

const recorded = async (): Promise<Recorded> =>
  JSON.parse(await readFile(at('project/runs/broken/config.json'), 'utf8')) as Recorded;

describe('a run', { timeout: 120_000 }, () => {
  it('that is killed twice goes on three times, each time from elsewhere, and ends with the bits of another', async () => {
    const random = createRandom(Date.now());
    const [first = 1, second = 2, third = 3] = [0, 1, 2].map(
      (part) => 1 + 100 * part + Math.floor(40 * random.uniform()),
    );
    const places = `after epochs ${first}, ${second} and ${third}`;
    const project = at('project');
    const killed = { code: null, by: 'SIGKILL', stderr: '' };
    const start = [...begin, ...settings, '--out', 'runs/broken'];
    expect(await stopAfter(first, 'SIGKILL', project, start), places).toEqual(killed);
    const began = await recorded();

    const resume = ['train', '--resume', '--out'];
    const run = '../project/runs/broken';
    expect(await stopAfter(second, 'SIGKILL', at('elsewhere'), [...resume, run]), places).toEqual(killed);
    expect(
      await stopAfter(third, 'SIGINT', at('project/networks'), [...resume, '../runs/broken']),
      places,
    ).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(
        /^stopped after step \d+, all is saved; to resume: bn-edge train --resume/,
      ) as string,
    });
    expect(await bnEdge([...resume, at('project/runs/broken')], { cwd: folder })).toMatchObject({
      code: 0,
      stderr: '',
    });

    expect(await tensors('broken'), places).toEqual(await tensors('whole'));
    const { arguments: own, directory } = await recorded();
    // The recorded arguments are those that began the run, relative to the directory from which it was last resumed.
    expect(own.filter((token) => !/resume|out|broken/.test(token))).toEqual(
      began.arguments
        .filter((token) => !/out|broken/.test(token))
        .map((token) => token.replace(/^penguins\.csv$/, 'project/penguins.csv').replace(/^\.\//, 'project/')),
    );
    expect(join(at('project/runs/broken'), directory)).toBe(folder);
  });

  it('goes on with no other settings, data or network, and says in one line which', async () => {
    const run = at('project/runs/whole');
    const resume = (...others: string[]) =>
      bnEdge(['train', '--resume', '--out', run, ...others], { cwd: at('elsewhere') });
    const last = join(run, 'last.safetensors');
    const startOver = 'leave out --resume to start over';
    expect((await resume('--seed', '7')).stderr).toBe(
      `error: ${last}: expected config.seed 5, as the run was started with, got 7; ${startOver}`,
    );
    const rows = (await readFile(at('project/penguins.csv'), 'utf8')).replace('39.1', '39.2');
    await writeFile(at('elsewhere/others.csv'), rows);
    expect((await resume('--data', 'others.csv')).stderr).toBe(
      `error: ${last}: expected the samples that the run was started with, got others; ${startOver}`,
    );
    await writeFile(at('elsewhere/wider.ts'), network.replace('units: 16', 'units: 17'));
    expect((await resume('--network', 'wider.ts')).stderr).toBe(
      `error: ${last}: expected network.layers.0.units 16, as the run was started with, got 17; ${startOver}`,
    );
  });

  it('that trains in a folder has it for itself', async () => {
    const busy = ['train', 'penguins.csv', '--label', 'species', '--epochs', '1000000', '--out', 'runs/busy'];
    const cwd = at('project');
    const main = join(root, 'exporter/command/main.ts');
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...busy], { cwd });
    const exit = once(child, 'exit');
    for await (const line of createInterface(child.stdout)) if (line.startsWith('epoch 2/')) break;
    for (const choice of [['--resume'], ['--overwrite']]) {
      const { code, stderr } = await bnEdge([...busy, ...choice], { cwd });
      expect(stderr).toBe(
        `error: runs/busy: expected no other training in it, got one by process ${child.pid} (if that is none, remove runs/busy/.lock)`,
      );
      expect(code).toBe(1);
    }
    child.kill('SIGTERM');
    await exit;
    const other = [...busy.slice(0, 4), '--epochs', '1', '--out', 'runs/busy'];
    expect(await bnEdge([...other, '--overwrite'], { cwd })).toMatchObject({ code: 0 });
  });
});
