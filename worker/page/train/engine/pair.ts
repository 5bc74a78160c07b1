/** Both networks, which take the same mini-batches in the same order. */
import { createRandom, epochBatches } from '../../../../training/data/index.ts';
import { UserError } from '../../../../training/files/index.ts';
import type { News, SideNews, Watched } from './messages.ts';
import { type Point, type Settings, type Side, sides } from './settings.ts';
import { SideRun } from './side.ts';
import type { Standing } from './take-away.ts';
import { type Parts, partsOf, pointsIn, pointsOf } from './toys.ts';

export class Pair {
  readonly #parts: Parts;
  #settings: Settings;
  readonly #runs: Readonly<Record<Side, SideRun>>;
  #steps = 0;
  #epoch = 0;
  /** Of the epoch. */
  #order: Int32Array = new Int32Array();

  private constructor(parts: Parts, settings: Settings, runs: Readonly<Record<Side, SideRun>>) {
    this.#parts = parts;
    this.#settings = settings;
    this.#runs = runs;
  }

  /** @throws UserError where the data are too few for the settings */
  static async begin(settings: Settings): Promise<Pair> {
    const parts = partsOf(pointsOf(settings), settings.seed);
    const runs = await bySide((side) => SideRun.begin(side, parts, settings));
    return new Pair(parts, settings, runs);
  }

  /** Of the training set and of the validation part. */
  get points(): Readonly<Record<keyof Parts, readonly Point[]>> {
    return { train: pointsIn(this.#parts.train), validation: pointsIn(this.#parts.validation) };
  }

  /** In the order in which they were drawn and dropped. */
  get all(): readonly Point[] {
    return pointsOf(this.#settings);
  }

  /** @throws UserError for a network that has left the finite numbers */
  standing(side: Side): Standing {
    const run = this.#runs[side];
    if (run.diverged) throw new UserError('take away: expected a network of finite numbers, got one that has diverged');
    return { plan: run.plan, tensors: run.tensors, steps: this.#steps, parts: this.#parts };
  }

  get steps(): number {
    return this.#steps;
  }

  /** Whether no step would change anything any more. */
  get isOver(): boolean {
    return sides.every((side) => this.#runs[side].diverged);
  }

  get losses(): Readonly<Record<Side, Float32Array>> {
    return { with: this.#runs.with.losses, without: this.#runs.without.losses };
  }

  async tune(settings: Settings): Promise<void> {
    this.#settings = settings;
    for (const side of sides) await this.#runs[side].tune(settings);
  }

  /** @returns how many steps it took: fewer than `most` where an epoch ends */
  async take(most: number): Promise<number> {
    const { batchSize } = this.#settings;
    const { order, from } = this.#ahead();
    const call = order.subarray(from, from + most * batchSize);
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
      ...{ step: this.#steps, epoch, stepsPerSecond },
      sides: { with: newsOf('with'), without: newsOf('without') },
    };
  }

  /** The epoch of the next step, its mini-batches, and where the next one begins among them. */
  #ahead() {
    const { seed, batchSize } = this.#settings;
    const { count } = this.#parts.train;
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
