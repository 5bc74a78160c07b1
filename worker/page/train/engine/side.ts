/** Trains one of the two networks, and computes the page's news of it. */
import { createRandom } from '../../../../training/data/index.ts';
import { at, elementCount, present } from '../../../../training/arrays/index.ts';
import type { Backend } from '../../../../training/backend/index.ts';
import { UserError } from '../../../../training/files/index.ts';
import { type Plan, planNetwork } from '../../../../training/network/index.ts';
import { accuracy, classLogits, crossEntropy } from '../../../../training/objective/index.ts';
import { DivergenceError, type State, type TrainingConfig, TrainingRun } from '../../../../training/trainer/index.ts';
import { type ChannelNews, grid, type LayerNews, type SideNews, type Validation, type Watched } from './messages.ts';
import { histogramOf, norm, probabilitiesOf, probabilityOfB } from './measures.ts';
import { type Hidden, hiddenOf, names, openAnswers, openLook } from './look.ts';
import { initialTensors, networkOf } from './networks.ts';
import type { Program } from './program.ts';
import { maxHeld, maxLosses, type Settings, type Side } from './settings.ts';
import { firstOf, type Subject } from './subject.ts';

export const configOf = ({ learningRate, batchSize, bnMomentum, optimizer, seed }: Settings): TrainingConfig => ({
  ...{ epochs: 1, schedule: 'constant' },
  ...{ learningRate, batchSize, bnMomentum, optimizer, seed },
});

const refuse = (): Promise<never> =>
  Promise.reject(
    new UserError(
      'training in the page: expected a step that is compiled whole, got one that the compiler does not cover',
    ),
  );

/** A backend for runs whose steps are compiled whole, whatever their size: the page has no runtime to fall back on. */
const compiledOnly: Backend = {
  name: 'page',
  engine: 'compiled for the browser',
  isCpu: true,
  stepper: 'compiled',
  createSession: refuse,
  loadSession: refuse,
};

/** The middle of each cell, row by row from the top left. */
const gridPoints = Float32Array.from({ length: 2 * grid * grid }, (_, i) => {
  const [cell, axis] = [i >> 1, i & 1];
  const at = (index: number): number => (2 * index + 1) / grid - 1;
  return axis === 0 ? at(cell % grid) : -at(Math.floor(cell / grid));
});

export class SideRun {
  readonly plan: Plan;
  readonly #subject: Subject;
  /** The samples of the validation part that are used. */
  readonly #held: Subject['validation'];
  readonly #hidden: readonly Hidden[];
  readonly #look: Program;
  /** Infers the samples of the validation part; undefined where there are none. */
  readonly #validation: Program | undefined;
  /** Infers the watched sample, followed by the grid of a plane. */
  readonly #answers: Program;
  #settings: Settings;
  #run: TrainingRun;
  #diverged: string | undefined;
  /** Holds the losses since the last news. */
  #newLosses: number[] = [];
  readonly #losses: number[] = [];

  private constructor(plan: Plan, subject: Subject, settings: Settings, run: TrainingRun) {
    this.plan = plan;
    this.#subject = subject;
    this.#held = firstOf(subject.validation, maxHeld);
    this.#settings = settings;
    this.#run = run;
    this.#hidden = hiddenOf(plan);
    this.#look = openLook(plan, settings.batchSize);
    // These inputs are written only once: a program never overwrites what it reads.
    this.#validation = this.#held.count > 0 ? openAnswers(plan, this.#held.count) : undefined;
    this.#validation?.input('x').set(this.#held.inputs);
    const points = subject.kind === 'plane' ? gridPoints : none;
    this.#answers = openAnswers(plan, 1 + points.length / 2);
    this.#answers.input('x').set(points, elementCount(subject.validation.inputShape));
  }

  /** @throws UserError where a mini-batch is larger than the training set, or a step larger than the compiler covers */
  static async begin(side: Side, subject: Subject, settings: Settings): Promise<SideRun> {
    const plan = planNetwork(networkOf(side, settings, subject));
    const start = initialTensors(plan, createRandom(settings.seed), subject.train, settings.scale);
    const run = await TrainingRun.start(plan, subject.train, configOf(settings), compiledOnly, start);
    return new SideRun(plan, subject, settings, run);
  }

  /** Continues the run with other settings of the step. */
  async tune(settings: Settings): Promise<void> {
    const { state, stepsDone: steps } = this.#run;
    this.#settings = settings;
    this.#run = await TrainingRun.resume(this.plan, this.#subject.train, configOf(settings), compiledOnly, {
      state,
      steps,
    });
  }

  get tensors(): State {
    return this.#run.tensors;
  }

  get diverged(): boolean {
    return this.#diverged !== undefined;
  }

  /** Returns the losses of the first `maxLosses` steps. */
  get losses(): Float32Array {
    return Float32Array.from(this.#losses);
  }

  /**
   * Returns the scores on the validation part by the running statistics; undefined where it is empty, and once the
   * network has diverged.
   */
  get validation(): Validation | undefined {
    if (this.diverged || !this.#validation) return undefined;
    const { count, labels } = this.#held;
    this.#validation.load(this.#run.tensors);
    this.#validation.run();
    const logits = classLogits(this.#validation.output('logits'), count);
    return { loss: crossEntropy(logits, labels), accuracy: accuracy(logits, labels) };
  }

  /** @param order sample indices `[steps, batchSize]` */
  async take(order: Int32Array): Promise<void> {
    if (this.diverged) return;
    try {
      const { loss } = await this.#run.steps(order);
      for (const each of loss) {
        this.#newLosses.push(each);
        if (this.#losses.length < maxLosses) this.#losses.push(each);
      }
    } catch (error) {
      if (!(error instanceof DivergenceError)) throw error;
      this.#diverged = error.message;
    }
  }

  /** @param batch the sample indices of the next step */
  news(batch: Int32Array, watched: Watched): SideNews {
    const tensors = this.#run.tensors;
    const sample = this.#inputsOf(watched);
    const losses = Float32Array.from(this.#newLosses);
    this.#newLosses = [];
    const { boundary, running } = this.#answer(tensors, sample);
    // This look comes last, since the news of the layers are of the mini-batch without the watched sample.
    const ofBatch = this.#isAlone ? running : this.#inspect(tensors, batch, sample);
    this.#inspect(tensors, batch);
    return {
      ...{ losses, boundary, diverged: this.#diverged },
      sample: { running, batch: ofBatch },
      layers: this.#hidden.map((hidden, i) => this.#layerNews(hidden, i, tensors)),
      channel: this.#channelNews(watched.layer, watched.channel, tensors),
    };
  }

  /** Is true when the answer to a sample does not depend on the rest of its mini-batch. */
  get #isAlone(): boolean {
    return this.#hidden.every(({ norm: normalized }) => normalized === undefined);
  }

  #inputsOf({ sample: { x, y }, held: wanted }: Watched): Subject['validation']['inputs'] {
    if (this.#subject.kind === 'plane') return Float32Array.of(x, y);
    const { inputs, inputShape, count } = this.#held;
    const size = elementCount(inputShape);
    const index = Math.min(wanted, count - 1);
    return inputs.subarray(index * size, (index + 1) * size);
  }

  /** Infers the watched sample and the grid by the running statistics. */
  #answer(tensors: State, sample: Subject['validation']['inputs']) {
    const classes = this.#held.classes.length;
    this.#answers.input('x').set(sample);
    this.#answers.load(tensors);
    this.#answers.run();
    const logits = this.#answers.output('logits');
    const cells = logits.length / classes - 1;
    return {
      boundary: Float32Array.from({ length: cells }, (_, i) => probabilityOfB(logits, 1 + i)),
      running: probabilitiesOf(logits, 0, classes),
    };
  }

  /**
   * Runs a mini-batch through the layers.
   *
   * @param sample replaces the first sample of the mini-batch, where it is given
   * @returns the probabilities for the first sample
   */
  #inspect(tensors: State, batch: Int32Array, sample?: Subject['validation']['inputs']): Float32Array {
    const { inputs, inputShape, labels, classes } = this.#subject.train;
    const size = elementCount(inputShape);
    const [x, y] = [this.#look.input('x'), this.#look.input('labels')];
    batch.forEach((index, row) => {
      x.set(inputs.subarray(size * index, size * (index + 1)), size * row);
      y[row] = present(labels[index]);
    });
    if (sample) x.set(sample);
    this.#look.load(tensors);
    this.#look.run();
    return probabilitiesOf(this.#look.output('logits'), 0, classes.length);
  }

  #layerNews({ norm: normalized }: Hidden, i: number, tensors: State): LayerNews {
    const look = this.#look;
    const of = (name: string): Float32Array => tensors.get(`${normalized?.name ?? ''}.${name}`)?.data.slice() ?? none;
    return {
      before: histogramOf(look.output(names.z(i))),
      after: normalized && histogramOf(look.output(names.after(i))),
      gradientNorm: norm(look.output(names.dWeight(i))),
      norm: normalized && {
        batchMean: look.output(names.mean(i)).slice(),
        batchVar: look.output(names.variance(i)).slice(),
        runningMean: of('running_mean'),
        runningVar: of('running_var'),
        gamma: of('weight'),
        beta: of('bias'),
      },
    };
  }

  #channelNews(layer: number, channel: number, tensors: State): ChannelNews | undefined {
    const normalized = this.#hidden[layer]?.norm;
    if (normalized?.layer.kind !== 'batchNorm') return undefined;
    const { batchSize, bnMomentum } = this.#settings;
    const column = (name: string): Float32Array => {
      const all = this.#look.output(name);
      const stride = all.length / batchSize;
      return Float32Array.from({ length: batchSize }, (_, row) => present(all[row * stride + channel]));
    };
    const gradient = (name: string): number => at(this.#look.output(name), channel);
    const of = (name: string): number => at(tensors.get(`${normalized.name}.${name}`)?.data ?? none, channel);
    return {
      ...{ layer, channel, epsilon: normalized.layer.epsilon, momentum: bnMomentum },
      z: column(names.z(layer)),
      dAfter: column(names.dAfter(layer)),
      dz: column(names.dz(layer)),
      dGamma: gradient(names.dGamma(layer)),
      dBeta: gradient(names.dBeta(layer)),
      gamma: of('weight'),
      beta: of('bias'),
      runningMean: of('running_mean'),
      runningVar: of('running_var'),
    };
  }
}

const none = new Float32Array();
