/** The Batch Norm layers of an ONNX file, as the Worker explains them. */
import type { onnx } from 'onnx-proto';
import { constantsOf, valuesOf } from './onnx-file.ts';

/** Per-channel values are `[C]`. */
export interface BatchNormLayer {
  readonly name: string;
  /** The names of the tensors before (z) and after (z̃) the layer. */
  readonly input: string;
  readonly output: string;
  readonly epsilon: number;
  /** ONNX's convention: the share of the old running value that an update keeps. */
  readonly momentum: number;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly runningMean: readonly number[];
  readonly runningVar: readonly number[];
}

/** The `BatchNormalization` nodes whose four parameters are stored in the file, in the order of the graph. */
export function batchNormLayers(graph: onnx.IGraphProto): readonly BatchNormLayer[] {
  const constant = constantsOf(graph);
  return (graph.node ?? []).flatMap((node) => {
    if (node.opType !== 'BatchNormalization') return [];
    const [input = '', ...names] = node.input ?? [];
    const [gamma, beta, runningMean, runningVar] = names.map((name) => valuesOf(constant(name)));
    if (!gamma || !beta || !runningMean || !runningVar) return [];
    const output = node.output?.[0] ?? '';
    const name = layerName(node.name || output);
    const [epsilon, momentum] = [floatOf(node, 'epsilon', 1e-5), floatOf(node, 'momentum', 0.9)];
    const arrays = { gamma, beta, runningMean, runningVar };
    return [{ name, input, output, epsilon, momentum, ...mapValues(arrays, (values) => values.map(shortest)) }];
  });
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
