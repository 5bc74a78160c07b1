/** The stopwatch of all engines that run in Node. peers/pytorch.py has the same, line by line. */
import { readFileSync } from 'node:fs';
import type { Evaluation, Job, LearningTask, Report, SpeedTask } from './job.ts';

/** A training run that an engine has prepared. */
export interface Trainer {
  readonly engine: string;
  readonly stepsPerEpoch: number;
  /** The number of steps to request of `train` in one call. */
  readonly stepsPerCall: number;
  /** Takes at most that many steps, fewer at the end of an epoch, and returns the loss of each. */
  readonly train: (steps: number) => Promise<readonly number[]>;
  /** Returns the accuracy with running statistics, in [0, 1]. */
  readonly testAccuracy: () => Promise<number>;
}

const comparedLosses = 4;

/** Runs the job and prints the report as JSON. */
export async function reportJob(trainer: Trainer, { config, task }: Job): Promise<void> {
  const stopwatch = new Stopwatch(trainer);
  const evaluations = task.kind === 'learning' ? await learn(stopwatch, trainer, config.epochs, task) : [];
  if (task.kind === 'speed') await measureSpeed(stopwatch, task);
  const report: Report = {
    engine: trainer.engine,
    firstLosses: stopwatch.firstLosses,
    samplesPerSecond: (stopwatch.steps * config.batchSize) / stopwatch.seconds,
    samplesPerCpuSecond: (stopwatch.steps * config.batchSize) / stopwatch.cpuSeconds,
    peakRss: peakRss(),
    evaluations,
  };
  console.log(JSON.stringify(report));
}

/** Counts steps and the time they take. */
class Stopwatch {
  readonly #trainer: Trainer;
  readonly firstLosses: number[] = [];
  steps = 0;
  seconds = 0;
  /** Counts the CPU time of all threads of the process. */
  cpuSeconds = 0;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  async train(steps: number): Promise<void> {
    const start = performance.now();
    const before = process.cpuUsage();
    const losses = await this.#trainer.train(Math.min(steps, this.#trainer.stepsPerCall));
    this.seconds += (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    this.cpuSeconds += (user + system) / 1e6;
    this.steps += losses.length;
    this.firstLosses.push(...losses.slice(0, comparedLosses - this.firstLosses.length));
  }

  async trainFor(seconds: number): Promise<void> {
    this.steps = 0;
    this.seconds = 0;
    this.cpuSeconds = 0;
    do await this.train(Infinity);
    while (this.seconds < seconds);
  }
}

async function measureSpeed(stopwatch: Stopwatch, { warmUp, seconds }: SpeedTask): Promise<void> {
  await stopwatch.trainFor(warmUp);
  await stopwatch.trainFor(seconds);
}

async function learn(
  stopwatch: Stopwatch,
  trainer: Trainer,
  epochs: number,
  { evaluationsPerEpoch, target = Infinity }: LearningTask,
): Promise<Evaluation[]> {
  const evaluations: Evaluation[] = [];
  for (let look = 1; look <= epochs * evaluationsPerEpoch; look++) {
    const until = Math.round((look * trainer.stepsPerEpoch) / evaluationsPerEpoch);
    while (stopwatch.steps < until) await stopwatch.train(until - stopwatch.steps);
    const testAccuracy = await trainer.testAccuracy();
    const { steps: step, seconds } = stopwatch;
    evaluations.push({ step, seconds, testAccuracy, rss: process.memoryUsage.rss() / 1e6 });
    if (testAccuracy >= target) break;
  }
  return evaluations;
}

/** Reads `VmHWM`, which is the process's own: Linux counts a parent's memory among a child's `maxRSS`. */
function peakRss(): number {
  const kibibytes = process.platform === 'linux' ? highWaterMark() : process.resourceUsage().maxRSS;
  return (kibibytes * 1024) / 1e6;
}

const highWaterMark = (): number => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
