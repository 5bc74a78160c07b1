/**
 * Turns an ONNX file from elsewhere into a model folder: a single file of tensors of numbers, and a card with what the
 * file states.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import { columnSchema } from '../../training/data/index.ts';
import { cannotRead, checkedJson, quote, readBytes, unexpected, UserError } from '../../training/files/index.ts';
import type { onnx } from '../../training/graph/index.ts';
import { type ImportedModel, importModel } from '../served/import-model.ts';
import type { BatchNormUse } from '../served/normalization.ts';
import { type InferredOutput, labelsOf, type ModelOutput, outputOf, servedKinds } from '../served/output.ts';
import { likelySizes, type Port, shapeOf } from '../served/ports.ts';
import { type OnnxFile, type Prepared, prepareModel, readOnnx } from '../served/prepare.ts';
import { randomAnswers, type Trial, tryModel } from '../served/runnable.ts';
import { whyNoLayers } from '../served/switchable.ts';
import { cardBytes, cardFile, describeFile, emptyCard, type ModelCard, type TensorCard } from '../store/card.ts';
import { labelCount } from '../store/contract.ts';
import { mayBePictures, pictureOf } from '../store/picture.ts';
import { type Preset, presets } from '../store/stated-picture.ts';
import { modelNameFrom, requireModelName } from '../store/model-name.ts';
import { replaceFolder } from '../store/replace-folder.ts';
import { contentsBeforeAddition } from '../store/folder-contents.ts';
import { type HubConfig, hubConfigOf } from './hub-config.ts';

export interface AddModelOptions {
  /** `file` is an ONNX file, or a folder with one. */
  readonly file: string;
  /** The folder in `models` and the name under which the Worker serves it. Default: named after the file. */
  readonly name?: string | undefined;
  readonly models: string;
  /** Says, for the card, what to do with layers that normalize with the mini-batch's statistics in the file. */
  readonly batchNorm?: BatchNormUse | undefined;
  /** Replaces a model of the same name. */
  readonly overwrite?: boolean | undefined;
}

export interface AddedModel {
  readonly name: string;
  readonly inputs: readonly TensorCard[];
  readonly outputs: readonly TensorCard[];
  /** The output that is the answer, as far as the file states it; undefined if it gives whole numbers alone. */
  readonly output: ModelOutput | undefined;
  /** Counts the Batch Norm layers whose running statistics are stored in the file. */
  readonly batchNormLayers: number;
  readonly bytes: number;
  /**
   * Estimates what the model adds to an edge image: the compressed size of the served file, which is nearly all weights. The
   * size of the code that it needs, which models share, is known once an image is built.
   */
  readonly gzipBytes: number;
  /**
   * Holds one line for each thing that the file does not say, and how to set it in the card; then for each change to
   * the file, and each thing that it lacks.
   */
  readonly notes: readonly string[];
}

/**
 * Copies the file, and tries it with a made-up sample on the Worker's runtime.
 *
 * @throws UserError for a file that is not ONNX, cannot run, or has the name of an existing model; nothing is written
 *   then
 */
export async function addModel({
  file,
  name: asked,
  models,
  overwrite,
  batchNorm,
}: AddModelOptions): Promise<AddedModel> {
  const path = await findFile(file);
  const name = asked ?? nameFor(path);
  requireModelName('--name', name);
  const folder = join(models, name);
  const { card: former, staying } = await contentsBeforeAddition({ models, name, overwrite });
  const imported = importModel(path, await readBytes(path));
  const { bytes } = imported;
  const onnx = readOnnx(path, bytes);
  const prepared = prepareModel(path, bytes, false, batchNorm);
  const trial = await tryModel(path, prepared.model, onnx.inputs, likelySizes(onnx.graph));
  if (trial.drawsNumbers) throw unexpected(path, ...randomAnswers);
  const found = { imported, onnx, trial, prepared, batchNorm, hub: await hubConfigOf(path) };
  const { card: fresh, ofCard, ofFile } = describe(name, path, found);
  const card = { ...fresh, version: former.version };
  await replaceFolder(models, name, new Map([...staying, ['model.onnx', bytes], [cardFile, cardBytes(card)]]));
  return {
    name,
    inputs: card.inputs ?? [],
    outputs: card.outputs ?? [],
    output: card.output,
    batchNormLayers: prepared.batchNorm.length,
    bytes: bytes.byteLength,
    gzipBytes: gzipSync(prepared.model).byteLength,
    notes: [
      ...ofCard.map((note) => `${join(folder, cardFile)}: ${note}`),
      ...ofFile.map((note) => `${join(folder, 'model.onnx')}: ${note}`),
    ],
  };
}

/** @throws UserError for a folder with no ONNX file or with several */
async function findFile(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw cannotRead(path, error);
    },
  );
  if (!isFolder) return path;
  const names = (await readdir(path)).filter((name) => /^[^.].*\.onnx$/i.test(name)).sort();
  const [only, another] = names;
  if (only === undefined) throw unexpected(path, 'an .onnx file, or a folder with one', 'a folder without');
  if (another !== undefined) throw unexpected(path, 'one .onnx file', `${names.map(quote).join(', ')}: say which`);
  return join(path, only);
}

/** Returns the name of a model. Many files are called `model.onnx`, in folders whose names say more. */
function nameFor(path: string): string {
  const [file, folder] = [basename(path, extname(path)), basename(dirname(resolve(path)))];
  const name = modelNameFrom(/^model$/i.test(file) ? folder : file) ?? modelNameFrom(file);
  if (name !== undefined) return name;
  throw new UserError(`--name: expected a name for ${path}, of letters and digits, got none`);
}

/** Holds all that is known of a file from elsewhere. */
interface FileFacts {
  readonly imported: ImportedModel;
  readonly onnx: OnnxFile;
  readonly trial: Trial;
  readonly prepared: Prepared;
  readonly batchNorm: BatchNormUse | undefined;
  readonly hub: HubConfig | undefined;
}

/** Describes the model in a card, with notes on what the card leaves open and on the file. */
function describe(name: string, path: string, found: FileFacts) {
  const { imported, onnx, trial, prepared, batchNorm, hub } = found;
  const { classes, columns = imported.columns } = ownFacts(path, onnx.model);
  const { output, labels, remarks } = answerOf(onnx, trial, classes, hub);
  const [input, ...more] = onnx.inputs.map((port) => tensorCard(port));
  const { producerName, producerVersion } = onnx.model;
  const by = [producerName, producerVersion].filter(Boolean).join(' ');
  const card: ModelCard = {
    name,
    version: emptyCard.version,
    description: `${basename(path)}${by === '' ? '' : `, written by ${by}`}`,
    ...(labels?.length && { labels }),
    ...(output && { output: { name: output.name, kind: output.kind } }),
    explain: emptyCard.explain,
    ...(batchNorm && { batchNorm }),
    ...(input && { inputs: [{ ...input, ...(columns && { columns }) }, ...more] }),
    outputs: outputsOf(onnx, trial),
    files: { 'model.onnx': describeFile(imported.bytes) },
  };
  const ofCard = [
    ...notesOnOutput(output),
    ...remarks,
    ...notesOnLabels(output, card),
    ...notesOnPictures(card, onnx.inputs),
  ];
  const ofFile = [...imported.remarks, ...notesOnBatchNorm(prepared, onnx.graph), ...notesOnTrial(trial)];
  return { card, ofCard, ofFile };
}

interface AnswerFound {
  readonly output: InferredOutput | undefined;
  readonly labels: readonly string[] | undefined;
  readonly remarks: readonly string[];
}

function answerOf(
  { graph, outputs: ports }: OnnxFile,
  trial: Trial,
  own: readonly string[] | undefined,
  hub: HubConfig | undefined,
): AnswerFound {
  const outputs = withShapes(ports, trial);
  const stored = own ?? labelsOf(graph);
  const output = outputOf(graph, { outputs }, (stored ?? hub?.labels)?.length);
  // A class's number is its index in the output: the names that a classifier stores need not be in that order.
  const labels = output?.kind === 'class' ? hub?.labels : (stored ?? hub?.labels);
  if (!labels || labels !== hub?.labels) return { output, labels, remarks: [] };
  const port = outputs.find(({ name }) => name === output?.name);
  const [objection] = labelCount(labels, output, port && shapeOf(port));
  if (objection !== undefined) return { output, labels: undefined, remarks: [`config.json: ${objection}`] };
  return hub.severalApply && output ? ofSeveral(output, labels) : { output, labels, remarks: [] };
}

/**
 * Returns the answer of a model whose labels do not exclude each other: each has a probability of its own, which
 * softmax does not give.
 */
function ofSeveral(output: InferredOutput, labels: readonly string[]): AnswerFound {
  if (output.kind === 'probabilities') return { output: { ...output, kind: 'multi-label' }, labels, remarks: [] };
  const remark = `"output": of labels that do not exclude each other (config.json), ${quote(output.name)} has no probabilities: it is served as numbers; followed by a sigmoid, its kind is "multi-label"`;
  return { output: { name: output.name, kind: 'number', isGuess: false }, labels, remarks: [remark] };
}

/** Reads what bn-edge writes into the metadata of its own files. */
function ownFacts(path: string, { producerName, metadataProps }: onnx.IModelProto) {
  const read = <S extends z.ZodType>(key: string, schema: S): z.output<S> | undefined => {
    const text = producerName === 'bn-edge' ? metadataProps?.find((entry) => entry.key === key)?.value : undefined;
    return text ? checkedJson(schema, text, `${path}: ${key}`) : undefined;
  };
  return { classes: read('classes', z.array(z.string())), columns: read('columns', z.array(columnSchema)) };
}

const tensorCard = (port: Port, shape = shapeOf(port)): TensorCard => ({
  name: port.name,
  datatype: port.datatype,
  ...(shape && { shape }),
});

/** Fills in the shapes that the file does not state from the trial. Their first size is the number of samples. */
const withShapes = (ports: readonly Port[], { shapes }: Trial): readonly Port[] =>
  ports.map((port) => {
    const found = shapes?.get(port.name);
    return port.dims || !found ? port : { ...port, dims: found.map((size, axis) => (axis === 0 ? '' : size)) };
  });

const outputsOf = ({ outputs, inputs }: OnnxFile, trial: Trial): readonly TensorCard[] =>
  // If an input may have any shape, so may the outputs.
  (inputs.every(({ dims }) => dims) ? withShapes(outputs, trial) : outputs).map((port) => tensorCard(port));

function notesOnOutput(output: InferredOutput | undefined): readonly string[] {
  if (!output) return ['"output" is not known: the model gives whole numbers alone'];
  if (!output.isGuess) return [];
  const taken = output.kind === 'logits' ? 'logits of classes' : 'numbers that stand for themselves';
  return [
    `"output": ${quote(output.name)} is taken for ${taken}, which the file does not say; "kind" may also be ${servedKinds
      .filter((kind) => kind !== output.kind && kind !== 'class')
      .map(quote)
      .join(' or ')}`,
  ];
}

function notesOnLabels(output: InferredOutput | undefined, { labels, outputs = [] }: ModelCard): readonly string[] {
  if (!output || output.kind === 'number' || labels) return [];
  const numbers = outputs.find(({ name }) => name === output.name)?.shape?.[1] ?? -1;
  // A single number stands for two classes.
  const names = numbers > 0 ? `${Math.max(2, numbers)} names` : 'their names';
  return [`"labels": the file names no classes; a list of ${names} makes them known`];
}

/** Returns notes on an input that has the shape of pictures, and no columns. */
function notesOnPictures({ inputs = [] }: ModelCard, [port, ...others]: readonly Port[]): readonly string[] {
  if (!port || others.length > 0 || inputs[0]?.columns || !mayBePictures(port)) return [];
  if (pictureOf(undefined, port).picture) return [];
  const objectionsTo = (preset: Preset): readonly string[] => pictureOf({ preset }, port).objections;
  const undecided = objectionsTo('raw');
  const offered = presets.filter((preset) => objectionsTo(preset).length === undecided.length);
  const how = `the file does not say how pictures become ${quote(port.name)}: ${offered.map(quote).join(', ')} or more`;
  return [`inputs[0].picture: ${how}`, ...undecided.map((objection) => `inputs[0].picture${objection}`)];
}

function notesOnBatchNorm({ remarks, batchNorm, noTwin }: Prepared, graph: onnx.IGraphProto): readonly string[] {
  if (batchNorm.length > 0) return noTwin === undefined ? remarks : [...remarks, `"explain": no switch: ${noTwin}`];
  const folded = remarks.length === 0 ? whyNoLayers(graph) : undefined;
  return folded === undefined ? remarks : [folded];
}

const notesOnTrial = ({ shapes, reason = '' }: Trial): readonly string[] =>
  shapes ? [] : [`no sample could be made up that the model takes (${reason}): ask it with a real one`];
