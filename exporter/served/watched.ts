/**
 * Makes a network that returns, beside its answers, statistics of the inputs of its Batch Norm layers: for each channel
 * the mean over its places, and the mean of the squares. It is made from an ONNX file as the switchable network is, and
 * runs beside the model, which stays the same to the bit.
 *
 * If a layer can be inverted, the statistics are those of its output. The runtime then folds the layer into the one
 * before, as it does in the model, and an image holds the folded weights once.
 */
import { at } from '../../training/arrays/index.ts';
import { encodeGraphProto, type onnx, onnxProto } from '../../training/graph/index.ts';
import type { BatchNormLayer, WatchedLayer } from '../../worker/image.ts';
import { changeNodes } from './change-graph.ts';
import { constantsOf } from './constants.ts';
import { dependents, sourcesOf } from './dependents.ts';
import { opsetOf } from './onnx-file.ts';
import { type SampleRanks, sampleRanks } from './sample-axis.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
const { INT, INTS } = AttributeProto.AttributeType;
const DataType: Readonly<Record<'FLOAT' | 'INT64', number>> = TensorProto.DataType;

/**
 * Names the output `[N, values]`: layer by layer, the mean of each channel, then the mean of its squares if the channel
 * has several places. It is not a C identifier, as names in ONNX files should be, so that it collides with none of
 * them.
 */
const momentsName = 'bn-edge/moments';

/** The version of the operator set from which on `ReduceMean` takes its axes as an input. */
const axesOpset = 18;

/** The smallest ratio of γ to β at which a layer is inverted: the inverse multiplies float32's error by β / γ. */
const minQuotient = 1e-3;

/**
 * @param layers of a network that can have a switch
 * @returns how each layer is watched, or why none can be
 */
export function watchable(
  model: onnx.IModelProto,
  layers: readonly BatchNormLayer[],
): readonly WatchedLayer[] | string {
  const graph = model.graph ?? {};
  const constant = constantsOf(graph);
  const sources = sourcesOf(graph.node ?? []);
  const double = layers.find(
    ({ output }) => constant(sources.get(output)?.input?.[1] ?? '')?.dataType !== DataType.FLOAT,
  );
  if (double) return `${double.name} is not in single precision`;
  const ranks = ranksOf(graph);
  return layers.map((layer) => ({
    name: layer.name,
    of: isInvertible(layer) ? 'output' : 'input',
    hasPlaces: (ranks.get(layer.input) ?? 0) > 2,
  }));
}

/** Returns the numbers of dimensions of the values whose first axis is that of the samples. */
function ranksOf(graph: onnx.IGraphProto): SampleRanks {
  const inputs = new Set((graph.input ?? []).map(({ name }) => name ?? ''));
  return sampleRanks(graph, dependents(graph.node ?? [], inputs), constantsOf(graph));
}

const isInvertible = ({ gamma, beta }: BatchNormLayer): boolean =>
  gamma.every((scale, c) => scale !== 0 && Math.abs(scale) >= minQuotient * Math.abs(at(beta, c)));

/**
 * @param bytes what `model` was decoded from
 * @param layers all of the network's, in the order of `watching`
 * @throws GraphError if the file has several graphs, or messages that do not end where they say
 */
export function watched(
  bytes: Uint8Array,
  model: onnx.IModelProto,
  layers: readonly BatchNormLayer[],
  watching: readonly WatchedLayer[],
): Uint8Array {
  const graph = model.graph ?? {};
  const ranks = ranksOf(graph);
  const takesAxes = opsetOf(model) >= axesOpset;
  const moments = layers.map((layer, i) => {
    const tensor = at(watching, i).of === 'input' ? layer.input : layer.output;
    return momentsOf(layer.output, tensor, ranks.get(layer.input) ?? 2, takesAxes);
  });
  const additions: onnx.IGraphProto = {
    initializer: moments.flatMap(({ stored }) => stored),
    node: [
      ...moments.flatMap(({ nodes }) => nodes),
      {
        name: momentsName,
        opType: 'Concat',
        input: moments.flatMap(({ names }) => names),
        output: [momentsName],
        attribute: [{ name: 'axis', type: INT, i: 1 }],
      },
    ],
    output: [{ name: momentsName }],
  };
  return changeNodes(bytes, graph, () => undefined, encodeGraphProto(additions));
}

const int64s = (name: string, values: readonly number[]): onnx.ITensorProto => ({
  name,
  dims: [values.length],
  dataType: DataType.INT64,
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

interface Moments {
  readonly stored: readonly onnx.ITensorProto[];
  readonly nodes: readonly onnx.INodeProto[];
  /** Lists the tensors that are returned. */
  readonly names: readonly string[];
}

/** Builds the moments of a tensor `[N, C, …]`. If each channel has only one place, the tensor itself is returned. */
function momentsOf(layer: string, tensor: string, rank: number, takesAxes: boolean): Moments {
  if (rank <= 2) return { stored: [], nodes: [], names: [tensor] };
  const name = (suffix: string): string => `${momentsName}/${layer}/${suffix}`;
  const [axes, squares, mean, square] = [name('axes'), name('squares'), name('mean'), name('square')];
  const places = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const average = (of: string, to: string): onnx.INodeProto => ({
    name: to,
    opType: 'ReduceMean',
    input: [of, ...(takesAxes ? [axes] : [])],
    output: [to],
    attribute: [
      { name: 'keepdims', type: INT, i: 0 },
      ...(takesAxes ? [] : [{ name: 'axes', type: INTS, ints: places }]),
    ],
  });
  const nodes: readonly onnx.INodeProto[] = [
    { name: squares, opType: 'Mul', input: [tensor, tensor], output: [squares] },
    average(tensor, mean),
    average(squares, square),
  ];
  return { stored: takesAxes ? [int64s(axes, places)] : [], nodes, names: [mean, square] };
}
