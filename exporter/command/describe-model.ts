/** What an export or an addition tells of the model. */
import type { ExportedCard } from '../model/card.ts';
import type { Answer } from './subcommand.ts';

export function describeCard({ name, version, inputs, outputs, network, files }: ExportedCard): Answer {
  const batchNormLayers = network.layers.filter(({ kind }) => kind === 'batchNorm').length;
  return { name, version, inputs, outputs, batchNormLayers, bytes: files['model.onnx']?.bytes ?? 0 };
}

export const describeAdded = ({ name, bytes }: { name: string; bytes: number }, models: string): string =>
  `wrote ${models}/${name} (${bytes} bytes)`;
