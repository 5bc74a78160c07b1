/**
 * Runs experiments at the same time, each in a process of its own, because ONNX Runtime computes on the thread that
 * calls it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Experiment } from './experiment.ts';

export interface Job {
  readonly experiment: Experiment;
  /** Returns the arguments of the script. */
  readonly args: () => Promise<readonly string[]>;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

export interface ProcessEvents {
  readonly onStart: (experiment: Experiment) => void;
  readonly onProgress: (experiment: Experiment, progress: Progress) => void;
  readonly onEnd: (experiment: Experiment, seconds: number) => void;
}

/**
 * @param script runs one experiment and sends its `Progress`
 * @param atOnce the number of experiments at the same time
 * @throws Error when one of them fails, after all have ended
 */
export async function runInProcesses(
  script: string,
  jobs: readonly Job[],
  atOnce: number,
  events: ProcessEvents,
): Promise<void> {
  const waiting = [...jobs];
  const failed: string[] = [];
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      if (!(await runInProcess(script, job, events))) failed.push(job.experiment.name);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failed.length > 0)
    throw new Error(`experiments: expected all to end well, got a failure of ${failed.join(', ')}`);
}

async function runInProcess(script: string, { experiment, args }: Job, events: ProcessEvents): Promise<boolean> {
  const child = fork(script, await args());
  const start = performance.now();
  events.onStart(experiment);
  child.on('message', (progress) => {
    events.onProgress(experiment, progress as Progress);
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  events.onEnd(experiment, (performance.now() - start) / 1000);
  return code === 0;
}
