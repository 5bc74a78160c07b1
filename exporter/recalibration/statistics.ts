/**
 * Measures running statistics again on unlabelled samples, as in Schneider et al. 2020, "Improving robustness against
 * common corruptions by covariate shift adaptation", https://arxiv.org/abs/2006.16971. Here they are measured once, on
 * many samples, and then fixed: an answer still depends on its own sample alone.
 */
import type { Backend, Session } from '../../training/backend/index.ts';
import type { Samples } from '../../training/data/index.ts';
import { at, elementCount, present } from '../../training/arrays/index.ts';
import { oneLine, releasing, UserError } from '../../training/files/index.ts';
import { decodeProto } from '../../training/graph/index.ts';
import { batchesOf } from '../../training/trainer/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { type ChannelStatistics, givingInputsOf, levelsOf, withStatistics } from '../served/running-statistics.ts';

/** A model that samples can be run through. */
export interface Subject {
  /** The path of the file, for messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly layers: readonly BatchNormLayer[];
  /** The name of its only input. */
  readonly input: string;
  /** The only batch size that it accepts, if there is one. */
  readonly batchSize?: number | undefined;
}

export interface Estimate {
  /** Maps the outputs of layers to their statistics. */
  readonly statistics: ReadonlyMap<string, ChannelStatistics>;
  /** The file with these statistics in it. */
  readonly bytes: Uint8Array;
}

/** The batch size: the inputs of a layer in a large network take megabytes for each sample. */
const BATCH = 32;

/**
 * Measures layer by layer, each on what the layers before it give with their new statistics. From n samples and N that
 * the former statistics are worth:
 *
 *     μ′ = N/(N + n) · μ + n/(N + n) · μₙ        σ′² = N/(N + n) · σ² + n/(N + n) · σ²ₙ
 *
 * where μₙ, σ²ₙ are over all n samples and all places `[n, C, H, W] → [C]`.
 *
 * @param prior N; with 0 the former statistics count for nothing
 * @param onStage receives the name of each stage
 * @throws UserError if the input of a layer is not finite float32 or float64
 */
export async function estimateStatistics(
  { path, bytes, layers, input, batchSize }: Subject,
  samples: Samples,
  backend: Backend,
  prior: number,
  onStage: (stage: string) => void = () => undefined,
): Promise<Estimate> {
  const levels = levelsOf(decodeProto(bytes).graph ?? {}, layers);
  const statistics = new Map<string, ChannelStatistics>();
  let file = bytes;
  for (const [i, level] of levels.entries()) {
    onStage(`measure what goes into layer ${i + 1} of ${levels.length}`);
    await using session = releasing(await backend.loadSession(givingInputsOf(file, level)));
    const sums = level.map((layer) => momentsOf(path, layer));
    await runOver(session, samples, input, batchSize ?? BATCH, (values) => {
      for (const { add } of sums) add(values);
    });
    level.forEach((layer, k) => {
      statistics.set(layer.output, mixed(layer, at(sums, k).statistics(), prior, samples.count));
    });
    file = withStatistics(file, decodeProto(file).graph ?? {}, statistics);
  }
  return { statistics, bytes: file };
}

type Values = Awaited<ReturnType<Session['run']>>;

async function runOver(
  session: Session,
  samples: Samples,
  input: string,
  batchSize: number,
  take: (values: Values) => void,
): Promise<void> {
  for (const { x } of batchesOf(samples, batchSize)) take(await session.run({ [input]: x }));
}

/** Adds up z − μ and its square by channel, with the former μ, so that a large mean costs no digits of the variance. */
function momentsOf(path: string, { name, input, runningMean }: BatchNormLayer) {
  const channels = runningMean.length;
  const [sum, squares] = [new Float64Array(channels), new Float64Array(channels)];
  let count = 0;
  const add = (values: Values): void => {
    const { data, shape = [] } = values[input] ?? {};
    if (!(data instanceof Float32Array) && !(data instanceof Float64Array)) {
      throw new UserError(
        `${path}: ${name}: expected float32 or float64 to go into the layer, got ${values[input]?.dtype ?? 'nothing'}`,
      );
    }
    const places = elementCount(shape.slice(2));
    count += data.length / channels;
    for (let start = 0, row = 0; start < data.length; start += places, row++) {
      const channel = row % channels;
      const mean = at(runningMean, channel);
      let [s, q] = [0, 0];
      for (let i = start; i < start + places; i++) {
        const deviation = present(data[i]) - mean;
        s += deviation;
        q += deviation * deviation;
      }
      sum[channel] = present(sum[channel]) + s;
      squares[channel] = present(squares[channel]) + q;
    }
  };
  const statistics = (): ChannelStatistics => {
    const wrong = squares.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new UserError(`${path}: ${name}: expected finite numbers of every sample in channel ${wrong}, got others`);
    }
    const shift = sum.map((s) => s / count);
    return {
      mean: shift.map((s, c) => s + at(runningMean, c)),
      variance: squares.map((q, c) => Math.max(q / count - at(shift, c) ** 2, 0)),
    };
  };
  return { add, statistics };
}

function mixed(
  { runningMean, runningVar }: BatchNormLayer,
  measured: ChannelStatistics,
  prior: number,
  n: number,
): ChannelStatistics {
  const share = n / (prior + n);
  const mix = (former: readonly number[], fresh: ArrayLike<number>): Float64Array =>
    Float64Array.from(former, (value, c) => (1 - share) * value + share * at(fresh, c));
  return { mean: mix(runningMean, measured.mean), variance: mix(runningVar, measured.variance) };
}

/** Says how far the statistics of a layer have moved. */
export interface Moved {
  readonly name: string;
  readonly channels: number;
  /** |μ′ − μ| / σ: the mean of all channels, and the largest. */
  readonly mean: { readonly average: number; readonly largest: number };
  /** σ′² / σ²: its geometric mean, the smallest and the largest. */
  readonly variance: { readonly average: number; readonly smallest: number; readonly largest: number };
}

/**
 * @param found what `estimateStatistics` has found for the layer
 * @throws UserError if the former statistics are none that numbers can be compared with
 */
export function movedBy(
  { name, epsilon, runningMean, runningVar }: BatchNormLayer,
  found: ChannelStatistics | undefined,
): Moved {
  if (!found) throw new Error(`internal: expected statistics of ${name}`);
  const { mean, variance } = found;
  const shifts = runningMean.map((mu, c) => Math.abs(at(mean, c) - mu) / Math.sqrt(at(runningVar, c) + epsilon));
  // ε is in both, as in the layer: a channel that never varies has a ratio of 1.
  const ratios = runningVar.map((before, c) => (at(variance, c) + epsilon) / (before + epsilon));
  const wrong = shifts.findIndex((shift, c) => !Number.isFinite(shift) || !(at(ratios, c) > 0));
  if (wrong >= 0) {
    const got = `mean ${at(runningMean, wrong)} and variance ${at(runningVar, wrong)} in channel ${wrong}`;
    throw new UserError(oneLine(`${name}: expected running statistics of finite numbers, got ${got}: train it again`));
  }
  const averageOf = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name,
    channels: runningMean.length,
    mean: { average: averageOf(shifts), largest: Math.max(...shifts) },
    variance: {
      average: Math.exp(averageOf(ratios.map(Math.log))),
      smallest: Math.min(...ratios),
      largest: Math.max(...ratios),
    },
  };
}
