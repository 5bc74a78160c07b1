/**
 * Makes the files that the user can save: a model to serve, a checkpoint to resume from, and the data of both. The page
 * loads this module on request, since most visitors save nothing.
 */
import { zipSync } from 'fflate';
import { at } from '../../../../training/arrays/index.ts';
import { modelCard } from '../../../../exporter/model/card.ts';
import { exportFile, inputNameOf, outputNameOf } from '../../../../exporter/model/inference-graph.ts';
import { verifyExport } from '../../../../exporter/model/verify.ts';
import { storedModel, type TrainedModel } from '../../../../training/checkpoint/index.ts';
import type { Column } from '../../../../training/columns/index.ts';
import { type ClassificationDataset, sha256 } from '../../../../training/data/index.ts';
import { serializeSafetensors } from '../../../../training/files/index.ts';
import { decodeModel, decodeProto, encodeProto } from '../../../../training/graph/index.ts';
import type { Plan } from '../../../../training/network/index.ts';
import type { State } from '../../../../training/trainer/index.ts';
import { openAnswers } from './look.ts';
import { openGraph } from './program.ts';
import { maxHeld, type Point } from './settings.ts';
import { firstOf, type Subject } from './subject.ts';
import { classes } from './toys.ts';

/** A network with its current tensors. */
export interface Snapshot {
  readonly plan: Plan;
  readonly tensors: State;
  readonly steps: number;
  readonly subject: Subject;
}

/** Returns tensors, network, classes and columns as `bn-edge train --from` reads them. */
export function checkpointOf(snapshot: Snapshot): Uint8Array {
  const { tensors, metadata } = storedModel(modelOf(snapshot));
  return serializeSafetensors(tensors, metadata);
}

/**
 * Returns a ZIP archive of a folder for `models/`.
 * @throws UserError where the file does not answer as the network does
 */
export function exportOf(snapshot: Snapshot): Uint8Array {
  const model = modelOf(snapshot);
  const { name } = snapshot.plan.network;
  const file = exportFile(model);
  const { train, validation } = snapshot.subject;
  const samples = firstOf(validation.count > 0 ? validation : train, maxHeld);
  const card = modelCard({
    ...{ name, version: '1', explain: false, engine: 'auto', statistics: 'running' },
    ...{ unknown: undefined, weights: undefined, weightsIn: undefined, classShares: undefined, scores: undefined },
    model,
    quality: { metrics: {} },
    verification: verifyExport(
      model,
      answersOfNetwork(snapshot, samples),
      answersOfFile(model, file, samples),
      samples,
    ),
    files: new Map([['model.onnx', { sha256: hex(sha256(file)), bytes: file.length }]]),
  });
  const described = {
    ...card,
    description: `${descriptionOf(snapshot)}, after ${snapshot.steps} steps of the training page`,
  };
  const cardText = new TextEncoder().encode(`${JSON.stringify(described, null, 2)}\n`);
  return zipSync({ [name]: { 'model.onnx': file, 'card.json': cardText } });
}

function descriptionOf({ subject: { kind, train, columns = [] } }: Snapshot): string {
  if (kind === 'digits') return 'Tells handwritten digits apart';
  const names = kind === 'plane' ? ['x', 'y'] : columns.map(({ name }) => name);
  const inputs =
    names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(' and ');
  return `Tells ${train.classes.slice(0, 6).join(' from ')}${train.classes.length > 6 ? ' and others' : ''} by ${inputs}`;
}

/** Returns rows with their class, as `bn-edge train --label class` reads them. */
export const csvOf = (points: readonly Point[]): string =>
  ['x,y,class', ...points.map(({ x, y, label }) => `${x},${y},${at(classes, label)}`), ''].join('\n');

function modelOf({ plan, tensors, steps, subject: { kind, train, columns, picture } }: Snapshot): TrainedModel {
  const model = { plan, tensors, classes: train.classes, batches: steps, record: undefined };
  if (kind === 'plane') return { ...model, columns: ['x', 'y'].map((name, axis) => columnOf(name, train, axis)) };
  return { ...model, ...(columns && { columns }), ...(picture && { picture }) };
}

function columnOf(name: string, { inputs, count }: ClassificationDataset, axis: number): Column {
  const values = Array.from({ length: count }, (_, i) => at(inputs, 2 * i + axis));
  return {
    ...{ kind: 'numeric', name, fill: null },
    range: [Math.min(...values), Math.max(...values)],
    typical: values.reduce((sum, value) => sum + value, 0) / count,
  };
}

/** Infers the samples with the training graph in inference mode. */
function answersOfNetwork({ plan, tensors }: Snapshot, { inputs, count }: ClassificationDataset): Float32Array {
  const answers = openAnswers(plan, count);
  answers.load(tensors);
  answers.input('x').set(inputs);
  answers.run();
  return answers.output('logits');
}

/**
 * Infers the samples with the file, decoded from its bytes and with its free dimension set to the number of samples.
 */
function answersOfFile(model: TrainedModel, file: Uint8Array, { inputs, count }: ClassificationDataset): Float32Array {
  const proto = decodeProto(file);
  const sizes = [...(proto.graph?.input ?? []), ...(proto.graph?.output ?? [])].map(
    ({ type }) => type?.tensorType?.shape?.dim?.[0],
  );
  for (const size of sizes) {
    if (!size) continue;
    delete size.dimParam;
    size.dimValue = count;
  }
  const program = openGraph(decodeModel(encodeProto(proto)).graph);
  program.input(inputNameOf(model)).set(inputs);
  program.run();
  return program.output(outputNameOf(model));
}

const hex = (words: Int32Array): string =>
  Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
