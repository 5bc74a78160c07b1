/** Writes a model whose running statistics were measured again as its next version; the version before is kept. */
import { join } from 'node:path';
import type { Backend } from '../../training/backend/index.ts';
import type { Samples } from '../../training/data/index.ts';
import { oneLine, releasing, UserError } from '../../training/files/index.ts';
import { decodeProto, type onnx } from '../../training/graph/index.ts';
import { withLockOrRefuse } from '../../training/process/index.ts';
import { runOverSamples } from '../../training/trainer/index.ts';
import { encodeSamples } from '../model/samples.ts';
import { batchNormOf } from '../served/find-batch-norm.ts';
import { withExternalData } from '../served/external-data.ts';
import { namesOf } from '../served/normalization.ts';
import { outputOf } from '../served/output.ts';
import { prepareModel } from '../served/prepare.ts';
import { type ChannelStatistics, whyFixed, withStatistics } from '../served/running-statistics.ts';
import { whyNoLayers } from '../served/switchable.ts';
import { withRoundedWeights } from '../served/round-weights.ts';
import { cardBytes, cardFile, describeFile, type ModelCard, type Recalibrated } from '../store/card.ts';
import { modelFileAmong } from '../store/models-folder.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { readSamples, samplesFile } from '../store/samples.ts';
import { versionsLock } from '../store/rollback.ts';
import { cardOf, type Files, folderAfterRelease, nextVersion, readFolder, versionOf } from '../store/versions.ts';
import { entropyOf } from './answers.ts';
import type { Subject } from './statistics.ts';

/** A model in its folder, ready to be measured. */
export interface MeasurableModel {
  readonly folder: string;
  readonly files: Files;
  readonly card: ModelCard;
  /** The model as it is served, with rounded weights if the card asks for them. */
  readonly subject: Subject;
  /** The same without any rounding, from which the file of a new version is made. */
  readonly file: Uint8Array;
  /** The name of its answer. */
  readonly output: string;
  /** Has one sentence for each layer that stays as it is, with the reason. */
  readonly notes: readonly string[];
}

/** @throws UserError if there is no such model, or it has no running statistics that could be measured */
export async function measurableModel(models: string, name: string): Promise<MeasurableModel> {
  const folder = join(models, name);
  const files = await readFolder(models, name);
  const onnxFile = modelFileAmong(files.keys());
  const [path, content] = [join(folder, onnxFile), files.get(onnxFile)];
  if (!content) throw new UserError(`${path}: expected a model, got no such file; bn-edge status lists the models`);
  const card = cardOf(files, folder);
  const { model, inputs, outputs } = prepareModel(path, withExternalData(path, content), false, card.batchNorm);
  const proto = decodeProto(model);
  const { measured, others } = layersToMeasure(path, proto);
  const [input, ...more] = inputs;
  if (!input || more.length > 0) throw new UserError(`${path}: expected a model with one input, got ${inputs.length}`);
  const { weights = 'float32' } = card;
  const bytes = weights === 'float32' ? model : (await withRoundedWeights(model, weights)).bytes;
  const batch = input.dims?.[0];
  const answer = card.output ?? outputOf(proto.graph ?? {}, { outputs }, card.labels?.length);
  return {
    folder,
    files,
    card,
    subject: {
      path,
      bytes,
      layers: measured,
      input: input.name,
      ...(typeof batch === 'number' && { batchSize: batch }),
    },
    file: model,
    output: answer?.name ?? outputs[0]?.name ?? '',
    notes: others.map(({ name: layer, why }) => `${layer} stays as it is: ${why}`),
  };
}

/**
 * Returns the layers that can get other statistics, and those that stay as they are.
 *
 * @throws UserError if there is no layer of the former kind, or one normalizes with the mini-batch's statistics
 */
function layersToMeasure(path: string, proto: onnx.IModelProto) {
  const graph = proto.graph ?? {};
  const { layers, ofBatch, undescribed } = batchNormOf(proto);
  if (ofBatch.length > 0) {
    throw new UserError(
      oneLine(`${path}: expected layers with running statistics, got some with the mini-batch's: ${namesOf(ofBatch)}`),
    );
  }
  const others = [
    ...undescribed,
    ...layers.flatMap((layer) => {
      const why = whyFixed(graph, layer);
      return why === undefined ? [] : [{ name: layer.name, why }];
    }),
  ];
  const measured = layers.filter(({ name: layer }) => others.every(({ name: other }) => other !== layer));
  if (measured.length === 0) {
    const why = others.length > 0 ? namesOf(others) : (whyNoLayers(graph) ?? 'it has no Batch Norm layers');
    throw new UserError(oneLine(`${path}: expected Batch Norm with running statistics, got none: ${why}`));
  }
  return { measured, others };
}

/**
 * Returns the mean entropy, in nats, of the former answers to the samples beside the model; undefined if there are none
 * of classes.
 */
export async function formerEntropyOf(measurable: MeasurableModel, backend: Backend): Promise<number | undefined> {
  const { card, subject, output } = measurable;
  const kind = card.output?.kind;
  if (card.output?.name !== output || (kind !== 'logits' && kind !== 'probabilities')) return undefined;
  const asked = await askSamples(measurable, subject.bytes, backend);
  return asked && entropyOf(asked.answers, asked.samples.count, kind);
}

/** The members that a new version's card has on the recalibration, without the version that it comes from. */
export type Facts = Omit<Recalibrated, 'from'>;

/**
 * Writes the model with other statistics as its next version. Measurements of the former version, such as its scores,
 * are not in the new card, since they do not hold for this one.
 *
 * @param statistics by the output of their layer
 * @returns the new version
 * @throws UserError if the folder cannot be written, or has been changed in the meantime; it is then as it was
 */
export async function writeVersion(
  models: string,
  name: string,
  measurable: MeasurableModel,
  statistics: ReadonlyMap<string, ChannelStatistics>,
  facts: Facts,
  backend: Backend,
): Promise<string> {
  const { files, card, file, folder } = measurable;
  const version = nextVersion(files);
  const model = withStatistics(file, decodeProto(file).graph ?? {}, statistics);
  const onnxFile = modelFileAmong(files.keys());
  const asked = await askSamples(measurable, model, backend);
  const samples = asked && encodeSamples(asked.samples, asked.answers);
  const fresh = new Map([[onnxFile, model], ...(samples ? [[samplesFile, samples] as const] : [])]);
  const next: ModelCard = {
    ...withoutMeasures(card),
    version,
    recalibrated: { from: versionOf(files), ...facts },
    files: Object.fromEntries([...fresh].map(([path, bytes]) => [path, describeFile(bytes)])),
  };
  await withLockOrRefuse(join(models, versionsLock), models, 'no release in it', async () => {
    const now = await readFolder(models, name);
    const isSame = now.size === files.size && [...now].every(([path, bytes]) => isEqual(bytes, files.get(path)));
    if (!isSame)
      throw new UserError(`${folder}: expected the model that was measured, got another; run the command again`);
    await replaceFolder(models, name, folderAfterRelease(files, new Map([...fresh, [cardFile, cardBytes(next)]])));
  });
  return version;
}

/** Removes measurements of the former file from a card, and keeps what the user has set. */
function withoutMeasures(card: ModelCard): ModelCard {
  const kept: { -readonly [K in keyof ModelCard]: ModelCard[K] } = { ...card };
  for (const key of measures) Reflect.deleteProperty(kept, key);
  return kept;
}

const measures = [
  'scores',
  'metrics',
  'verification',
  'statistics',
  'calibration',
  'importance',
  'interval',
  'intervals',
  // The file is written as it is served, its layers with running statistics.
  'batchNorm',
] as const satisfies readonly (keyof ModelCard)[];

const isEqual = (a: Uint8Array, b: Uint8Array | undefined): boolean => b !== undefined && Buffer.compare(a, b) === 0;

/** Returns a file's answers to the samples that lie beside the model, if there are any. */
async function askSamples(
  { folder, files, subject, output }: MeasurableModel,
  file: Uint8Array,
  backend: Backend,
): Promise<{ readonly samples: Samples; readonly answers: Float32Array } | undefined> {
  const array = readSamples(join(folder, samplesFile), files.get(samplesFile));
  if (!array) return undefined;
  const [count = 0, ...inputShape] = array.shape;
  const samples = { inputs: array.data, inputShape, count };
  const { input, batchSize } = subject;
  await using session = releasing(await backend.loadSession(file));
  const ports = { input, output, ...(batchSize !== undefined && { batchSize, isFixed: true }) };
  return { samples, answers: await runOverSamples(session, samples, ports) };
}
