/** `npm run bench:clients -- --help` */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../../exporter/command/option-values.ts';
import { runCommand } from '../../../exporter/command/run-command.ts';
import { buildBundle, serveBundle } from '../../bundle/workerd.ts';
import { compressingFront } from './front.ts';
import { checkGeneratedClient } from './generated.ts';

const MODEL = 'mnist-cnn';
const here = import.meta.dirname;
const python = join(here, '../../../.test/clients/bin/python');

const command = new Command('bench:clients')
  .description(
    "Ask the Worker, in raw workerd, with Triton's clients from PyPI, with whatever its own OpenAPI document allows and forbids (schemathesis), and with a client that is generated from it.",
  )
  .option('--examples <n>', 'requests that schemathesis makes up for each operation', wholeNumber(1), 100)
  .action(run);

async function run({ examples }: { readonly examples: number }): Promise<void> {
  await checkGeneratedClient();
  if (!hasPython()) {
    console.log('python3 is not there, or has no venv: no more was checked');
    return;
  }
  install();
  const server = await serveBundle(buildBundle(), { vars: { DOCS: true } });
  const front = await compressingFront(server.url);
  try {
    await requireCompression(front.host);
    await runPython([join(here, 'triton.py'), front.host, MODEL]);
    await runPython(schemathesis(server.url, examples));
  } finally {
    front.stop();
    await server.stop();
  }
}

/** Requires the answers to be compressed: behind this front, a client that cannot read compressed answers must fail. */
async function requireCompression(host: string): Promise<void> {
  const { headers } = await fetch(`http://${host}/openapi.json`);
  const encoding = headers.get('content-encoding');
  if (encoding !== 'gzip') throw new Error(`front: expected the document in gzip, got ${encoding ?? 'none'}`);
}

/**
 * Runs all of its checks but one. The document describes requests, but not the shapes and names that a model has, so a
 * request that matches the document may still be refused.
 */
const schemathesis = (url: string, examples: number): readonly string[] => [
  ...['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`, '--no-color', '--seed', '1'],
  ...['--phases', 'examples,coverage,fuzzing', '--max-examples', String(examples)],
  ...['--exclude-checks', 'positive_data_acceptance'],
];

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function install(): void {
  const folder = join(python, '../..');
  if (!existsSync(python)) {
    mkdirSync(folder, { recursive: true });
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  }
  const file = join(here, 'requirements.txt');
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--quiet', '--requirement', file], { stdio: 'inherit' });
}

/** Runs Python in a process of its own: the front must answer in the meantime. */
async function runPython(args: readonly string[]): Promise<void> {
  // Schemathesis writes its findings into its working directory.
  const child = spawn(python, args, { stdio: 'inherit', cwd: join(python, '../..') });
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  if (code !== 0) throw new Error(`${args.slice(0, 3).join(' ')}: exit code ${code}`);
}

await runCommand(command);
