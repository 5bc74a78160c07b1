/** Runs an engine on one split of one table, and returns its answers to the test part and their cost. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { buildImage } from '../../../exporter/edge/build-image.ts';
import { evaluate } from '../../../exporter/index.ts';
import { classesOf, type Dataset, readCells } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/index.ts';
import { classLogits, probabilities } from '../../../training/objective/index.ts';
import { median } from '../measurement.ts';
import { environment, python, SHARE, type Split, type Table } from './data.ts';

export interface Outcome {
  /** Holds a probability for each class, or the number, for each test row in the split's order. */
  readonly answers: ArrayLike<number>;
  readonly cpu_seconds: number;
  readonly bytes: number;
  /** The milliseconds for one row, warm. */
  readonly row_ms: number;
  /** The same in ONNX Runtime, for engines whose models can be exported. */
  readonly row_ms_onnx?: number;
}

export type Engine = (table: Table, split: Split, seed: number) => Promise<Outcome>;

/**
 * The engines by their names in this benchmark. These four stop early, and are the ones that others are compared with.
 */
export const trees = ['hgb', 'xgb', 'lgb', 'cat'] as const;
export const peers = [...trees, ...trees.map((name) => `${name}-plain`), 'mlp'] as const;
export const neuralPeers = ['realmlp', 'tabm'] as const;

const work = join(environment, 'work');

export const engineOf = (name: string): Engine => (name === 'bn-edge' ? ownEngine : peerEngine(name));

/** Runs the command line with its defaults, and the exported model as a compiled program, which takes rows by name. */
const ownEngine: Engine = async (table, { parts }, seed) => {
  const folder = join(work, `${table.name}-${seed}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [run, models, image] = ['run', 'models', 'image'].map((name) => join(folder, name)) as [string, string, string];
  const shares = ['--validation-share', String(SHARE), '--test-share', String(SHARE)];
  const options = ['--label', table.label, ...(table.task ? ['--task', table.task] : []), ...shares];
  const trained = ['train', table.path, ...options, '--seed', String(seed), '--threads', '1', '--out', run];
  const cpu_seconds = commandSeconds(trained);
  const checkpoint = join(run, 'checkpoint.safetensors');
  commandSeconds(['export', run, '--name', 'table', '--models', models]);
  const { answers, samples } = await evaluate({ checkpoint });
  requireSameRows(parts.test, samples, table);
  await buildImage({ models, out: image });
  const { table: program } = (await import(pathToFileURL(resolve(image, 'image.mjs')).href)) as {
    readonly table: { readonly predict: (row: unknown) => Promise<unknown> };
  };
  const row = await firstRow(table, parts.test);
  return {
    answers: parts.test.task === 'classification' ? probabilities(classLogits(answers, samples.count)).data : answers,
    cpu_seconds,
    bytes: statSync(join(models, 'table', 'model.onnx')).size,
    row_ms: await milliseconds(() => program.predict(row)),
  };
};

const command = join('dist', 'exporter', 'command', 'main.js');

/** Returns the CPU seconds of a command with all of its threads and processes, as the shell counts them. */
function commandSeconds(args: readonly string[]): number {
  const script = '"$@" > /dev/null && times';
  const printed = execFileSync('bash', ['-c', script, 'bash', 'node', command, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [, children = ''] = printed.trim().split('\n');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);
}

/** @throws UserError where the engines would predict different rows */
function requireSameRows({ lines: ours }: Dataset, { lines: theirs }: Dataset, { path }: Table): void {
  if (ours && theirs && ours.length === theirs.length && ours.every((line, i) => line === theirs[i])) return;
  throw new UserError(`${path}: expected the rows that bn-edge was tested on, got others`);
}

async function firstRow({ path, label }: Table, { lines }: Dataset): Promise<unknown> {
  const line = lines?.[0] ?? NaN;
  const cells = (await readCells(path, {}, new Set([line]))).get(line) ?? [];
  return Object.fromEntries([...cells].filter(([name]) => name !== label));
}

const CALLS = 1000;

async function milliseconds(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 2 * CALLS; i++) {
    const start = performance.now();
    await call();
    // The first half of the calls warms up the code.
    if (i >= CALLS) times.push(performance.now() - start);
  }
  return median(times);
}

const peerEngine =
  (engine: string): Engine =>
  async ({ path }, { columns, parts }, seed) => {
    const each = <T>(what: (part: Dataset) => T) =>
      Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, what(part)]));
    const folder = join(work, engine);
    mkdirSync(folder, { recursive: true });
    const job = {
      engine,
      seed,
      folder: resolve(folder),
      file: resolve(path),
      classes: classesOf(parts.train).length,
      columns: columns.map(({ name, kind }) => ({ name, kind })),
      lines: each(({ lines }) => [...(lines ?? [])]),
      targets: each((part) => [...(part.task === 'classification' ? part.labels : part.values)]),
    };
    const peer = promisify(execFile)(python, [join(import.meta.dirname, 'peer.py')], { maxBuffer: 2 ** 30 });
    peer.child.stdin?.end(JSON.stringify(job));
    return JSON.parse((await peer).stdout) as Outcome;
  };
