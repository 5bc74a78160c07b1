/**
 * Computes each sample's moments at the inputs of a model's Batch Norm layers once with ONNX Runtime, and sums them
 * over windows of samples.
 */
import { batchNormOf } from '../../../exporter/served/find-batch-norm.ts';
import { givingInputsOf } from '../../../exporter/served/running-statistics.ts';
import type { Backend } from '../../../training/backend/index.ts';
import type { Random, Samples } from '../../../training/data/index.ts';
import { decodeProto } from '../../../training/graph/index.ts';
import { batchesOf } from '../../../training/trainer/index.ts';
import type { ChannelSums, DriftWindow } from '../../../worker/drift/window.ts';
import type { BatchNormLayer } from '../../../worker/image.ts';

/** A file's Batch Norm layers, and the names of its input and output. */
export interface Subject {
  readonly bytes: Uint8Array;
  readonly layers: readonly BatchNormLayer[];
  readonly input: string;
  readonly output: string;
}

export function subjectOf(bytes: Uint8Array): Subject {
  const proto = decodeProto(bytes);
  return {
    bytes,
    layers: batchNormOf(proto).layers,
    input: proto.graph?.input?.[0]?.name ?? '',
    output: proto.graph?.output?.[0]?.name ?? '',
  };
}

/**
 * Holds the moments of one layer, `[count, channels]`: the mean of each sample over its positions, and the mean of the
 * squares.
 */
export interface Moments {
  readonly layer: BatchNormLayer;
  readonly mean: Float64Array;
  readonly square: Float64Array;
}

export async function momentsOf(subject: Subject, samples: Samples, backend: Backend): Promise<readonly Moments[]> {
  const { bytes, layers, input } = subject;
  const moments = layers.map((layer) => {
    const size = layer.runningMean.length * samples.count;
    return { layer, mean: new Float64Array(size), square: new Float64Array(size) };
  });
  const session = await backend.loadSession(givingInputsOf(bytes, layers));
  let row = 0;
  for (const { x } of batchesOf(samples, 100)) {
    const values = await session.run({ [input]: x });
    for (const each of moments) addBatch(each, row, values[each.layer.input] ?? { data: [], shape: [] });
    row += x.shape[0] ?? 0;
  }
  await session.release();
  return moments;
}

interface Given {
  readonly data: ArrayLike<number | bigint | string>;
  readonly shape?: readonly number[];
}

/** @param row the index of the batch's first sample among all samples */
function addBatch({ layer, mean, square }: Moments, row: number, { data, shape = [] }: Given): void {
  const places = shape.slice(2).reduce((product, size) => product * size, 1);
  const start = row * layer.runningMean.length;
  for (let at = 0; at < data.length / places; at++) {
    let [sum, squares] = [0, 0];
    for (let i = at * places; i < (at + 1) * places; i++) {
      const value = Number(data[i]);
      sum += value;
      squares += value * value;
    }
    mean[start + at] = sum / places;
    square[start + at] = squares / places;
  }
}

/** Draws so many indices of samples, with replacement. */
export const drawn = (random: Random, from: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, () => Math.floor(random.uniform() * from));

/** Returns the layers' sums over the samples at these indices. */
export function layersOf(moments: readonly Moments[], places: Int32Array): DriftWindow['layers'] {
  return Object.fromEntries(moments.map((each) => [each.layer.name, sumsOf(each, places)]));
}

function sumsOf({ layer, mean, square }: Moments, places: Int32Array): ChannelSums {
  const channels = layer.runningMean.length;
  const [means, squares, meanSquares] = [new Float64Array(channels), new Float64Array(channels), new Float64Array(channels)]; // oxfmt-ignore
  for (const place of places) {
    for (let c = 0, at = place * channels; c < channels; c++, at++) {
      const value = mean[at] ?? NaN;
      means[c] = (means[c] ?? 0) + value;
      squares[c] = (squares[c] ?? 0) + (square[at] ?? NaN);
      meanSquares[c] = (meanSquares[c] ?? 0) + value * value;
    }
  }
  return { mean: Array.from(means), square: Array.from(squares), meanSquare: Array.from(meanSquares) };
}
