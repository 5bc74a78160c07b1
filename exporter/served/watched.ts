/**
 * A network that tells beside its answers what goes into its Batch Norm layers, made from an ONNX file as the switchable one is: of each
 * channel the mean over its places, and that of the squares. It runs beside the model, which stays as it is to the bit.
 *
 * Where a layer can be inverted they are of what it gives, since the runtime then folds the layer into what stands before it, as it does
 * in the model, and an image has the folded weights once.
 */
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
 * The output `[N, values]`: layer by layer, the mean of each channel, and after it the mean of its squares where the channel has several
 * places. Its name cannot be a C identifier's.
 */
export const momentsName = 'bn-edge/moments';

/** Since this version of the operator set `ReduceMean` takes its axes as an input. */
const axesOpset = 18;

/** How small γ may be beside β: a layer is inverted with an error of float32's by the quotient. */
const leastQuotient = 1e-3;

/**
 * @param layers of a network that can have a switch
 * @returns how each is watched, or why none can be
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

/** How many dimensions values have that begin with the samples. */
function ranksOf(graph: onnx.IGraphProto): SampleRanks {
  const inputs = new Set((graph.input ?? []).map(({ name }) => name ?? ''));
  return sampleRanks(graph, dependents(graph.node ?? [], inputs), constantsOf(graph));
}

const isInvertible = ({ gamma, beta }: BatchNormLayer): boolean =>
  gamma.every((scale, c) => scale !== 0 && Math.abs(scale) >= leastQuotient * Math.abs(beta[c] ?? NaN));

/**
 * @param bytes what `model` was decoded from
 * @param layers all of the network's, in the order of `watching`
 * @throws GraphError where the file has several graphs, or messages that do not end where they say
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
  const moments = layers.flatMap((layer, i) => {
    const how = watching[i];
    if (!how) return [];
    const tensor = how.of === 'input' ? layer.input : layer.output;
    return [momentsOf(layer.output, tensor, ranks.get(layer.input) ?? 2, takesAxes)];
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
  /** Of the tensors that are told. */
  readonly names: readonly string[];
}

/** What is computed of a tensor `[N, C, …]`; where each channel has one place, the tensor itself is told. */
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
