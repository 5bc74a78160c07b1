/** The Batch Norm layers of an ONNX file, as the Worker explains them. */
import type { onnx } from '../../training/graph/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { constantsOf, type Parameter, valuesOf } from './onnx-file.ts';

/** In all layers together, which may share one stored tensor; ResNet-152 has 300,000. */
const MOST_PARAMETERS = 2 ** 20;
const MOST_LAYERS = 2 ** 12;

/**
 * The `BatchNormalization` nodes whose four parameters are stored in the file, in the order of the graph; none where they are
 * too many to be looked at.
 */
export function batchNormLayers(graph: onnx.IGraphProto): readonly BatchNormLayer[] {
  const constant = constantsOf(graph);
  const nodes = (graph.node ?? []).filter(({ opType }) => opType === 'BatchNormalization');
  const parametersOf = ({ input }: onnx.INodeProto) => (input ?? []).slice(1, 5).map(constant);
  const size = nodes.flatMap(parametersOf).reduce((sum, tensor) => sum + (tensor?.rawData?.byteLength ?? 0) / 4, 0);
  if (nodes.length > MOST_LAYERS || size > MOST_PARAMETERS) return [];
  return nodes.flatMap((node) => layerOf(node, parametersOf(node).map(valuesOf)));
}

function layerOf(
  node: onnx.INodeProto,
  [gamma, beta, runningMean, runningVar]: readonly (Parameter | undefined)[],
): readonly BatchNormLayer[] {
  if (!gamma || !beta || !runningMean || !runningVar) return [];
  const [input = '', output = ''] = [node.input?.[0], node.output?.[0]];
  const name = layerName(node.name || output);
  const [epsilon, momentum] = [floatOf(node, 'epsilon', 1e-5), floatOf(node, 'momentum', 0.9)];
  const arrays = { gamma, beta, runningMean, runningVar };
  return [{ name, input, output, epsilon, momentum, ...mapValues(arrays, (values) => Array.from(values, shortest)) }];
}

/** `bn1/BatchNormalization` -> `bn1`: the operator's name says nothing here. */
const layerName = (node: string): string => node.replace(/^\//, '').replace(/\/?BatchNormalization$/, '') || node;

function floatOf(node: onnx.INodeProto, name: string, standard: number): number {
  return shortest(node.attribute?.find((attribute) => attribute.name === name)?.f ?? standard);
}

/** The shortest decimal that reads back as the same 32-bit float: 0.9, not 0.8999999761581421. */
function shortest(value: number): number {
  const float = Math.fround(value);
  const short = [6, 7, 8, 9].map((digits) => Number(value.toPrecision(digits)));
  return short.find((candidate) => Math.fround(candidate) === float) ?? value;
}

const mapValues = <Key extends string, In, Out>(record: Record<Key, In>, map: (value: In) => Out): Record<Key, Out> =>
  Object.fromEntries(Object.entries<In>(record).map(([key, value]) => [key, map(value)])) as Record<Key, Out>;
