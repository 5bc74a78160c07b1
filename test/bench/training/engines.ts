/** The engines that are compared: how each is installed and started. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runFresh, typescript } from '../fresh-process.ts';
import type { Job, Report } from './job.ts';
import type { ProblemFiles } from './problem-files.ts';

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const peers = here('peers');

/** The virtual environment of the peers in Python, at the versions of `peers/requirements.txt`. */
const environment = fileURLToPath(new URL('../../../.test/training-peers', import.meta.url));
const python = `${environment}/bin/python`;

export interface Engine {
  /** Prepares the engine. A returned string says why it is not available on this machine. */
  readonly prepare: () => Promise<string | undefined>;
  /** Returns whether the engine supports the layers and data of a job. */
  readonly takes: (job: Pick<Job, 'network' | 'data'>) => boolean;
  /** Runs the job in a fresh process. */
  readonly run: (job: Job, problems: ProblemFiles) => Promise<Report>;
}

const report = async (command: Parameters<typeof runFresh>[0]): Promise<Report> => (await runFresh(command)) as Report;

const everything = () => true;

export const engines = {
  'bn-edge-native': {
    prepare: () => Promise.resolve(undefined),
    takes: everything,
    run: (job) => report(typescript(here('bn-edge-native.ts'), JSON.stringify(job))),
  },
  pytorch: {
    prepare: installPython,
    takes: everything,
    run: async (job, problems) => {
      const args = [here('peers/pytorch.py'), JSON.stringify(job), await problems.pathOf(job)];
      const setting = await problems.remember(`pytorch ${JSON.stringify([job.network, job.config.batchSize])}`, () =>
        runFresh({ file: python, args: [...args, 'tune'] }),
      );
      return report({ file: python, args: [...args, JSON.stringify(setting)] });
    },
  },
  'jax-scan': jax('scan'),
  'jax-step': jax('step'),
  'tfjs-wasm': {
    prepare: installTensorflow,
    takes: ({ network }) => network.name === 'mnist-mlp' || network.name === 'mnist-cnn',
    run: async (job, problems) =>
      report(typescript(here('peers/tfjs-wasm.ts'), JSON.stringify(job), await problems.pathOf(job))),
  },
} as const satisfies Readonly<Record<string, Engine>>;

export type EngineName = keyof typeof engines;

/** Returns JAX with its steps in a compiled loop (`scan`), or called one by one. */
function jax(mode: 'scan' | 'step'): Engine {
  return {
    prepare: installPython,
    takes: everything,
    run: async (job, problems) =>
      report({
        file: python,
        args: [here('peers/jax_peer.py'), JSON.stringify(job), await problems.pathOf(job), mode],
      }),
  };
}

/** Caches the installation for all engines in Python. */
let installation: Promise<string | undefined> | undefined;

function installPython(): Promise<string | undefined> {
  return (installation ??= (async () => {
    try {
      if (!existsSync(python)) await run('python3', ['-m', 'venv', environment]);
      const quiet = ['--quiet', '--disable-pip-version-check', '-r', `${peers}/requirements.txt`];
      await run(python, ['-m', 'pip', 'install', ...quiet]);
      return undefined;
    } catch (error) {
      return `cannot be installed into ${environment}: ${(error as Error).message.split('\n')[0] ?? ''}`;
    }
  })());
}

/** Installs into the peers' own folder, so that only users of this benchmark download it. */
async function installTensorflow(): Promise<string | undefined> {
  // npm writes this file last.
  if (existsSync(`${peers}/node_modules/.package-lock.json`)) return undefined;
  try {
    await run('npm', ['ci', '--ignore-scripts'], { cwd: peers, shell: process.platform === 'win32' });
    return undefined;
  } catch (error) {
    return `npm ci failed in ${peers}: ${(error as Error).message.split('\n')[0] ?? ''}`;
  }
}
