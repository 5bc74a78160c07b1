/** Describes a model after an export or an addition. */
import { count } from '../../training/files/index.ts';
import { formatShape } from '../../training/graph/index.ts';
import { layersOf, planNetwork } from '../../training/network/index.ts';
import type { AddedModel } from '../model/add.ts';
import type { ExportedCard } from '../model/card.ts';
import type { TensorCard } from '../store/card.ts';
import type { Answer } from './subcommand.ts';

export function describeCard(card: ExportedCard): Answer {
  const { name, version, inputs, outputs, output, network, files } = card;
  const { threshold, interval, intervals, temperature, calibration, importance } = card;
  const quality = { threshold, interval, intervals, temperature, calibration, importance };
  const batchNormLayers = layersOf(planNetwork(network)).filter(({ layer }) => layer.kind === 'batchNorm').length;
  const model = files['model.onnx'];
  if (!model) throw new Error('internal: expected a card that describes model.onnx');
  return {
    name,
    version,
    inputs,
    outputs,
    output,
    batchNormLayers,
    bytes: model.bytes,
    ...quality,
  };
}

/** Returns, for example, `scores FP32 [-1, 3]`. */
const describeTensor = ({ name, datatype, shape }: TensorCard): string =>
  [name, datatype, shape ? formatShape(shape) : 'of any shape'].join(' ');

export function describeAdded(added: AddedModel, models: string): string {
  const { name, inputs, outputs, output, batchNormLayers, bytes, gzipBytes, notes } = added;
  const answer = output
    ? `; the answer is "${output.name}", taken as ${output.kind === 'class' || output.kind === 'number' ? `a ${output.kind}` : output.kind}`
    : '';
  return [
    `wrote   ${models}/${name} (model.onnx, card.json: ${count(bytes / 1000)} kB)`,
    `takes   ${inputs.map(describeTensor).join(', ')}`,
    `gives   ${outputs.map(describeTensor).join(', ')}${answer}`,
    `layers  of Batch Norm: ${batchNormLayers}`,
    `costs   about ${count(Math.ceil(gzipBytes / 1000))} kB gzip of the Worker: the weights; bn-edge build prints what they and the code are`,
    ...notes,
    'next    npx wrangler dev builds the image and serves it; npx wrangler deploy puts it online',
  ].join('\n');
}
