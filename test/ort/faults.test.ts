/**
 * Processes that train are killed at random moments and run into a full disk, and the run ends with the bits of one
 * that never stopped. `FAULTS=50 npx vitest run --project ort test/ort/faults.test.ts` kills fifty times.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSafetensors } from '../../training/checkpoint/checkpoint.ts';
import { createRandom } from '../../training/data/index.ts';
import { idx } from '../unit/data/idx-file.ts';

const faults = Number(process.env['FAULTS'] ?? 4);
const signals = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type Signal = (typeof signals)[number];

const random = createRandom(Date.now());
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.uniform() * items.length)] as T;

const size = 8;
const epochs = 12;
const settings = `--epochs ${epochs} --batch-size 20 --optimizer adam --ema 0.95 --keep best --threads 1 --seed 3`;
/** The files that must be the same to the last bit. */
const results = ['checkpoint.safetensors', 'best.safetensors', 'last.safetensors'] as const;

let folder: string;
let expected: Contents;
/** The time that the start of the process takes the processor, and that of training, in nanoseconds. */
let durations: { readonly start: number; readonly training: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  await writeData(join(folder, 'data'));
  await writeFile(join(folder, 'network.ts'), network);
  const outcome = await train('whole');
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  durations = { start: outcome.begun, training: outcome.trained - outcome.begun };
  expected = await contents('whole');
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

const network = `export default {
  name: 'small',
  inputShape: [1, ${size}, ${size}],
  inputNormalization: 'channel',
  layers: [
    { kind: 'conv2d', channels: 4, kernel: 3, stride: 1, padding: 1, dilation: 1, groups: 1 },
    { kind: 'batchNorm', epsilon: 1e-5 },
    { kind: 'relu' },
    { kind: 'maxPool', kernel: 2, stride: 2 },
    { kind: 'flatten' },
    { kind: 'dropout', rate: 0.2 },
    { kind: 'dense', units: 10 },
  ],
};
`;

/** Writes noise that is brighter in the rows of its class. */
async function writeData(path: string): Promise<void> {
  await mkdir(path);
  for (const [part, count] of [
    ['train', 1200],
    ['t10k', 100],
  ] as const) {
    const labels = Array.from({ length: count }, (_, i) => i % 10);
    const pixels = labels.flatMap((label) =>
      Array.from({ length: size * size }, (_, i) => 60 * random.uniform() + (i % 11 === label ? 120 : 0)),
    );
    await writeFile(join(path, `${part}-images-idx3-ubyte`), idx([count, size, size], pixels));
    await writeFile(join(path, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
}

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** What the process had computed when training began and ended, in nanoseconds of its main thread. */
  readonly begun: number;
  readonly trained: number;
}

type Hook = (kill: (signal: Signal) => void, pid: number | undefined) => Promise<void>;

interface Hooks {
  readonly onStart?: Hook;
  /** Is called when the backend is ready and training begins. */
  readonly onBegun?: Hook;
  /** Limits the size of a file, in the units of `ulimit -f`. */
  readonly limit?: number;
}

/** Runs `bn-edge train --resume` in a process of its own. */
async function train(run: string, { onStart, onBegun, limit }: Hooks = {}): Promise<Outcome> {
  const command = `${limit === undefined ? '' : `ulimit -f ${limit}; `}exec node --import tsx exporter/command/main.ts train "$@"`;
  const files = ['--network', join(folder, 'network.ts'), '--data', join(folder, 'data'), '--out', join(folder, run)];
  const child = spawn('sh', ['-c', command, 'sh', ...files, ...settings.split(' '), '--resume']);
  const kill = (signal: Signal) => void child.kill(signal);
  const hooks: Promise<void>[] = [];
  if (onStart) hooks.push(onStart(kill, child.pid));
  let [begun, trained, stderr] = [0, 0, ''];
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    if (/^test /m.test(chunk.toString())) trained = computedBy(child.pid);
    if (!/^(resuming|no run)/m.test(chunk.toString())) return;
    begun = computedBy(child.pid);
    if (onBegun) hooks.push(onBegun(kill, child.pid));
  });
  const outcome = await new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, stderr: stderr.trimEnd(), begun, trained });
    });
  });
  await Promise.all(hooks);
  return outcome;
}

interface Contents {
  readonly tensors: readonly (readonly [string, Buffer])[];
  readonly metrics: readonly unknown[];
}

/** Reads everything that does not depend on how fast the run was. */
async function contents(run: string): Promise<Contents> {
  const lines = (await readFile(join(folder, run, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  return {
    tensors: await Promise.all(results.map(async (name) => [name, await readFile(join(folder, run, name))] as const)),
    metrics: lines.map((line) => ({ ...(JSON.parse(line) as object), samplesPerSecond: undefined })),
  };
}

/** Expects every file of tensors in the run's folder to be readable. */
async function expectReadable(run: string): Promise<void> {
  const files = await readdir(join(folder, run)).catch(() => []);
  for (const file of files.filter((name) => name.endsWith('.safetensors') && !name.startsWith('.'))) {
    await readSafetensors(join(folder, run, file));
  }
}

/**
 * Returns the time that a process's main thread has been on a processor, in nanoseconds: a moment in its work, however
 * busy the machine. It is ∞ once the process has ended.
 */
function computedBy(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return Infinity;
  }
}

/** Causes one fault: four of five hit training, the others the start of the process. */
async function killOnce(run: string): Promise<readonly [Signal, Outcome]> {
  const signal = pick(signals);
  const within =
    (longest: number): Hook =>
    async (kill, pid) => {
      const until = computedBy(pid) + random.uniform() * longest;
      await vi.waitUntil(() => computedBy(pid) >= until, { interval: 1, timeout: 60_000 });
      kill(signal);
    };
  const { start, training } = durations;
  const hooks = random.uniform() < 0.2 ? { onStart: within(start) } : { onBegun: within(training) };
  return [signal, await train(run, hooks)];
}

const isComplete = ({ code, signal }: Outcome) => code === 0 && signal === null;

function expectStopped(signal: Signal, outcome: Outcome): void {
  const died = outcome.signal === signal;
  const saved =
    outcome.code === { SIGKILL: 137, SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal] && signal !== 'SIGKILL';
  expect(died || saved, JSON.stringify([signal, outcome])).toBe(true);
  if (saved)
    expect(outcome.stderr).toMatch(
      /^(stopped after (step \d+|training), all is saved; to resume: bn-edge train --resume.*|interrupted)$/,
    );
}

describe.runIf(process.platform === 'linux')('training', () => {
  it(`that is killed ${faults} times ends as if it had not been`, { timeout: 60_000 + faults * 10_000 }, async () => {
    let completed = 0;
    for (let killed = 0; killed < faults;) {
      const [signal, outcome] = await killOnce('killed');
      await expectReadable('killed');
      if (isComplete(outcome)) {
        expect(await contents('killed')).toEqual(expected);
        await rm(join(folder, 'killed'), { recursive: true });
        completed += 1;
      } else {
        expectStopped(signal, outcome);
        killed += 1;
      }
    }
    expect(await train('killed')).toMatchObject({ code: 0 });
    expect(await contents('killed')).toEqual(expected);
    expect((await readdir(join(folder, 'killed'))).filter((name) => name.startsWith('.'))).toEqual([]);
    console.log(`${faults} kills, ${completed + 1} complete runs`);
  });

  it(
    'that finds the disk full says so, keeps its last state, and ends as if there had been room',
    // Three processes run one after the other, and on a busy machine they take long.
    { timeout: 300_000 },
    async () => {
      // The signal is sent at once: on a busy machine, the run could end before a later one.
      const stopped = await train('full', {
        onBegun: (kill) => {
          kill('SIGTERM');
          return Promise.resolve();
        },
      });
      expect(stopped).toMatchObject({ code: 143 });
      const last = join(folder, 'full', 'last.safetensors');
      const before = await readFile(last);
      // A limit on the size of files stands in for the full disk: the write ends half-way, with an error.
      const outcome = await train('full', { limit: 1 + Math.floor(random.uniform() * 16) });
      expect(outcome.stderr).toMatch(/^error: \S+: cannot write: file too large$/);
      expect(outcome.code).toBe(1);
      expect(await readFile(last)).toEqual(before);
      expect((await readdir(join(folder, 'full'))).filter((name) => name.startsWith('.'))).toEqual([]);
      expect(await train('full')).toMatchObject({ code: 0 });
      expect(await contents('full')).toEqual(expected);
    },
  );
});
