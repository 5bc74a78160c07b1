/** Trains both networks on the same mini-batches in the same order. */
import { createRandom, epochBatches } from '../../../../training/data/index.ts';
import { UserError } from '../../../../training/files/index.ts';
import type { Begun, News, SideNews, Validation, Watched } from './messages.ts';
import { type Point, type Settings, type Side, sides } from './settings.ts';
import { SideRun } from './side.ts';
import type { Snapshot } from './take-away.ts';
import type { Subject } from './subject.ts';
import { pointsIn, pointsOf } from './toys.ts';

export function begunOf({ kind, train, validation }: Subject): Begun {
  const points = kind === 'plane' ? pointsIn : () => [];
  return {
    of: kind,
    classes: train.classes,
    trained: train.count,
    heldBack: validation.count,
    points: points(train),
    held: points(validation),
  };
}

export class Pair {
  readonly subject: Subject;
  #settings: Settings;
  readonly #runs: Readonly<Record<Side, SideRun>>;
  #steps = 0;
  #epoch = 0;
  /** The order of the samples in the current epoch. */
  #order: Int32Array = new Int32Array();

  private constructor(subject: Subject, settings: Settings, runs: Readonly<Record<Side, SideRun>>) {
    this.subject = subject;
    this.#settings = settings;
    this.#runs = runs;
  }

  /** @throws UserError where the data are too few for the settings */
  static async begin(settings: Settings, subject: Subject): Promise<Pair> {
    if (subject.train.count === 0)
      throw new UserError('There are no points yet: choose what a click drops, and click on either plane.');
    const runs = await bySide((side) => SideRun.begin(side, subject, settings));
    return new Pair(subject, settings, runs);
  }

  /** Returns the points of the plane in the order in which they were generated and dropped. */
  get all(): readonly Point[] {
    return pointsOf(this.#settings);
  }

  /** @throws UserError for a network that has diverged */
  snapshot(side: Side): Snapshot {
    const run = this.#runs[side];
    if (run.diverged) throw new UserError('take away: expected a network of finite numbers, got one that has diverged');
    return { plan: run.plan, tensors: run.tensors, steps: this.#steps, subject: this.subject };
  }

  get steps(): number {
    return this.#steps;
  }

  /** Is true when both networks have diverged. */
  get isOver(): boolean {
    return sides.every((side) => this.#runs[side].diverged);
  }

  get losses(): Readonly<Record<Side, Float32Array>> {
    return { with: this.#runs.with.losses, without: this.#runs.without.losses };
  }

  get validation(): Readonly<Record<Side, Validation | undefined>> {
    return { with: this.#runs.with.validation, without: this.#runs.without.validation };
  }

  async tune(settings: Settings): Promise<void> {
    this.#settings = settings;
    for (const side of sides) await this.#runs[side].tune(settings);
  }

  /** @returns the number of steps taken: fewer than `max` where an epoch ends */
  async take(max: number): Promise<number> {
    const { batchSize } = this.#settings;
    const { order, from } = this.#ahead();
    const call = order.subarray(from, from + max * batchSize);
    for (const side of sides) await this.#runs[side].take(call);
    const taken = call.length / batchSize;
    this.#steps += taken;
    return taken;
  }

  news(watched: Watched, stepsPerSecond: number): News {
    const { order, from, epoch } = this.#ahead();
    const batch = order.subarray(from, from + this.#settings.batchSize);
    const newsOf = (side: Side): SideNews => this.#runs[side].news(batch, watched);
    return {
      ...{ step: this.#steps, epoch, stepsPerSecond, watched },
      sides: { with: newsOf('with'), without: newsOf('without') },
    };
  }

  /** Returns the epoch of the next step, the epoch's order of samples, and where the next mini-batch begins in it. */
  #ahead() {
    const { seed, batchSize } = this.#settings;
    const { count } = this.subject.train;
    const perEpoch = Math.floor(count / batchSize);
    const epoch = Math.floor(this.#steps / perEpoch) + 1;
    if (epoch !== this.#epoch) {
      this.#order = epochBatches(createRandom(seed), epoch, count, batchSize);
      this.#epoch = epoch;
    }
    return { epoch, order: this.#order, from: (this.#steps % perEpoch) * batchSize };
  }
}

async function bySide<T>(make: (side: Side) => Promise<T>): Promise<Readonly<Record<Side, T>>> {
  return { with: await make('with'), without: await make('without') };
}
