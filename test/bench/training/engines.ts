/** The engines that are compared: how each is found and started. */
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

export interface Engine {
  /** Makes the engine ready; a string says why it cannot be used here. */
  readonly prepare: () => Promise<string | undefined>;
  /** Does the job in a fresh process. */
  readonly run: (job: Job, problems: ProblemFiles) => Promise<Report>;
}

const report = async (command: Parameters<typeof runFresh>[0]): Promise<Report> => (await runFresh(command)) as Report;

export const engines = {
  'bn-edge-native': {
    prepare: () => Promise.resolve(undefined),
    run: (job) => report(typescript(here('bn-edge-native.ts'), JSON.stringify(job))),
  },
  pytorch: {
    prepare: findPytorch,
    run: async (job, problems) =>
      report({
        file: 'python3',
        args: [here('peers/pytorch.py'), JSON.stringify(job), await problems.pathOf(job)],
        // OpenBLAS's own threads fight with OpenMP's, which PyTorch uses, over the cores.
        environment: { OPENBLAS_NUM_THREADS: '1' },
      }),
  },
  'tfjs-wasm': {
    prepare: installTensorflow,
    run: async (job, problems) =>
      report(typescript(here('peers/tfjs-wasm.ts'), JSON.stringify(job), await problems.pathOf(job))),
  },
} as const satisfies Readonly<Record<string, Engine>>;

export type EngineName = keyof typeof engines;

async function findPytorch(): Promise<string | undefined> {
  try {
    await run('python3', ['-c', 'import torch']);
    return undefined;
  } catch {
    return 'not installed (python3 -c "import torch" fails)';
  }
}

/** Into the peers' own folder, so that nobody who does not run this benchmark pays for it. */
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
