/** `npm run bench:clients -- --help` */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../../exporter/command/numbers.ts';
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

/** What clients cannot read compressed is told by a front that compresses everything else. */
async function requireCompression(host: string): Promise<void> {
  const { headers } = await fetch(`http://${host}/openapi.json`);
  const encoding = headers.get('content-encoding');
  if (encoding !== 'gzip') throw new Error(`front: expected the document in gzip, got ${encoding ?? 'none'}`);
}

/**
 * All of its checks but one: the document says what a request looks like, not which shapes and names a model has, so that one that fits
 * the document may be refused.
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

/** Beside the front, which has to answer meanwhile. */
async function runPython(args: readonly string[]): Promise<void> {
  // Schemathesis leaves what it found in the folder that it runs in.
  const child = spawn(python, args, { stdio: 'inherit', cwd: join(python, '../..') });
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  if (code !== 0) throw new Error(`${args.slice(0, 3).join(' ')}: exit code ${code}`);
}

await runCommand(command);
