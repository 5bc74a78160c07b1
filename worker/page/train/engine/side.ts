/** One of the two networks: its run, and what the page is told of it. */
import { createRandom } from '../../../../training/data/index.ts';
import { type Plan, planNetwork } from '../../../../training/network/index.ts';
import { accuracy, classLogits, crossEntropy } from '../../../../training/objective/index.ts';
import { DivergenceError, type State, type TrainingConfig, TrainingRun } from '../../../../training/trainer/index.ts';
import { type ChannelNews, grid, type LayerNews, type SideNews, type Watched } from './messages.ts';
import { histogramOf, norm, probabilityOfB } from './measures.ts';
import { type Hidden, hiddenOf, names, openAnswers, openLook } from './look.ts';
import { initialTensors, networkOf } from './networks.ts';
import type { Program } from './program.ts';
import { compiledOnly } from './compiled-only.ts';
import type { Settings, Side } from './settings.ts';
import { classes, type Parts } from './toys.ts';

export const configOf = ({ learningRate, batchSize, bnMomentum, optimizer, seed }: Settings): TrainingConfig => ({
  ...{ epochs: 1, schedule: 'constant' },
  ...{ learningRate, batchSize, bnMomentum, optimizer, seed },
});

/** The middle of each cell, row by row from the top left. */
const gridPoints = Float32Array.from({ length: 2 * grid * grid }, (_, i) => {
  const [cell, axis] = [i >> 1, i & 1];
  const at = (index: number): number => (2 * index + 1) / grid - 1;
  return axis === 0 ? at(cell % grid) : -at(Math.floor(cell / grid));
});

export class SideRun {
  readonly plan: Plan;
  readonly #parts: Parts;
  readonly #hidden: readonly Hidden[];
  readonly #look: Program;
  readonly #answers: Program;
  #settings: Settings;
  #run: TrainingRun;
  #diverged: string | undefined;
  #fresh: number[] = [];
  readonly #losses: number[] = [];

  private constructor(plan: Plan, parts: Parts, settings: Settings, run: TrainingRun) {
    this.plan = plan;
    this.#parts = parts;
    this.#settings = settings;
    this.#run = run;
    this.#hidden = hiddenOf(plan);
    this.#look = openLook(plan, settings.batchSize);
    this.#answers = openAnswers(plan, parts.validation.count + gridPoints.length / 2 + 1);
  }

  /** @throws UserError where a mini-batch is larger than the training set, or a step larger than what is compiled */
  static async begin(side: Side, parts: Parts, settings: Settings): Promise<SideRun> {
    const plan = planNetwork(networkOf(side, settings, classes.length));
    const start = initialTensors(plan, createRandom(settings.seed), parts.train, settings.scale);
    const run = await TrainingRun.start(plan, parts.train, configOf(settings), compiledOnly, start);
    return new SideRun(plan, parts, settings, run);
  }

  /** Goes on from here with other settings of the step. */
  async tune(settings: Settings): Promise<void> {
    const { state, stepsDone: steps } = this.#run;
    this.#settings = settings;
    this.#run = await TrainingRun.resume(this.plan, this.#parts.train, configOf(settings), compiledOnly, {
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

  /** Of all steps. */
  get losses(): Float32Array {
    return Float32Array.from(this.#losses);
  }

  /** @param order sample indices `[steps, batchSize]` */
  async take(order: Int32Array): Promise<void> {
    if (this.diverged) return;
    try {
      const { loss } = await this.#run.steps(order);
      for (const each of loss) {
        this.#fresh.push(each);
        this.#losses.push(each);
      }
    } catch (error) {
      if (!(error instanceof DivergenceError)) throw error;
      this.#diverged = error.message;
    }
  }

  /** @param batch of the step that comes next */
  news(batch: Int32Array, { layer, channel, sample }: Watched): SideNews {
    const tensors = this.#run.tensors;
    const losses = Float32Array.from(this.#fresh);
    this.#fresh = [];
    const { validation, boundary, running } = this.#answer(tensors, sample);
    // Last, since what is told of the layers is of the mini-batch as it is.
    const ofBatch = this.#lookAt(tensors, batch, sample);
    this.#lookAt(tensors, batch);
    return {
      ...{ losses, validation, boundary, diverged: this.#diverged },
      sample: { running, batch: ofBatch },
      layers: this.#hidden.map((hidden, i) => this.#layerNews(hidden, i, tensors)),
      channel: this.#channelNews(layer, channel, tensors),
    };
  }

  /** By the running statistics. */
  #answer(tensors: State, { x, y }: Watched['sample']) {
    const { validation } = this.#parts;
    const input = this.#answers.input('x');
    input.set(validation.inputs);
    input.set(gridPoints, validation.inputs.length);
    input.set([x, y], input.length - 2);
    this.#answers.load(tensors);
    this.#answers.run();
    const logits = this.#answers.output('logits');
    const held = classLogits(logits.subarray(0, 2 * validation.count), validation.count);
    const rest = logits.subarray(2 * validation.count);
    const cells = gridPoints.length / 2;
    return {
      validation: { loss: crossEntropy(held, validation.labels), accuracy: accuracy(held, validation.labels) },
      boundary: Float32Array.from({ length: cells }, (_, i) => probabilityOfB(rest, i)),
      running: probabilityOfB(rest, cells),
    };
  }

  /**
   * Runs a mini-batch through the layers.
   *
   * @param sample takes the place of the first, where it is given
   * @returns the answer to the first
   */
  #lookAt(tensors: State, batch: Int32Array, sample?: Watched['sample']): number {
    const { inputs, labels } = this.#parts.train;
    const [x, y] = [this.#look.input('x'), this.#look.input('labels')];
    batch.forEach((index, row) => {
      x.set(inputs.subarray(2 * index, 2 * index + 2), 2 * row);
      y[row] = labels[index] ?? 0;
    });
    if (sample) x.set([sample.x, sample.y]);
    this.#look.load(tensors);
    this.#look.run();
    return probabilityOfB(this.#look.output('logits'), 0);
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
      return Float32Array.from({ length: batchSize }, (_, row) => all[row * stride + channel] ?? NaN);
    };
    const gradient = (name: string): number => this.#look.output(name)[channel] ?? NaN;
    const of = (name: string): number => tensors.get(`${normalized.name}.${name}`)?.data[channel] ?? NaN;
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
