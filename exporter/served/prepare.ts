/**
 * Prepares a file for serving: finds out what serving needs to know of it, and makes its switchable twin. The file may
 * come from anywhere, and is not trusted.
 */
import { oneLine, UserError } from '../../training/files/index.ts';
import { decodeProto, GraphError, type onnx } from '../../training/graph/index.ts';
import type { BatchNormLayer, Monitored } from '../../worker/image.ts';
import { type BatchNorm, batchNormOf } from './find-batch-norm.ts';
import { type BatchNormUse, namesOf, normalizing } from './normalization.ts';
import { requireOnnx } from './onnx-file.ts';
import { type ModelOutput, outputOf } from './output.ts';
import { likelySizes, type Ports, portsOf } from './ports.ts';
import { switchable, whyNotSwitchable } from './switchable.ts';
import { tensorsOnly } from './tensors-only.ts';
import { watchable, watched } from './watched.ts';

export interface Prepared extends Ports {
  /** The sizes to try for free dimensions. */
  readonly sizes: readonly number[];
  /** The file as it is served. */
  readonly model: Uint8Array;
  /** The layers with running statistics that can be described. */
  readonly batchNorm: readonly BatchNormLayer[];
  /** Names the layers that normalize with the mini-batch's own statistics; `of` counts all Batch Norm layers. */
  readonly ofBatch?: { readonly layers: readonly string[]; readonly of: number };
  /** `remarks` has one sentence for each thing about the file's Batch Norm that `batchNorm` does not show. */
  readonly remarks: readonly string[];
  /** Says why the model cannot have a twin. */
  readonly noTwin?: string;
  /** The network with a switch at every Batch Norm layer, if it has any and the card asks for it. */
  readonly switchable?: Uint8Array;
  /**
   * Says which layers are watched and how, if the card asks for it; `watched` is the network that gives their values, if the
   * model has any.
   */
  readonly watching?: Pick<Monitored, 'layers' | 'noLayers'>;
  readonly watched?: Uint8Array;
  /** The answer of a model whose card does not name it: only if the file itself states it, never as a guess. */
  readonly output?: ModelOutput;
}

export interface OnnxFile extends Ports {
  /** `bytes` is the file without the outputs that are not tensors of numbers and cannot be served. */
  readonly bytes: Uint8Array;
  /** `remarks` has one sentence for each output that was left out. */
  readonly remarks: readonly string[];
  readonly model: onnx.IModelProto;
  readonly graph: onnx.IGraphProto;
}

/**
 * @throws UserError, in one line that begins with the file, if it is not an ONNX model, or an input or output is not of
 *   numbers
 */
export const readOnnx = (file: string, bytes: Uint8Array): OnnxFile =>
  explained(file, () => {
    requireOnnx(bytes);
    const original = decodeProto(bytes);
    if (!original.graph?.node?.length) throw new GraphError('expected an ONNX model, got one without nodes');
    const { bytes: served, remarks } = tensorsOnly(bytes, original.graph);
    const model = served === bytes ? original : decodeProto(served);
    const graph = model.graph ?? {};
    return { bytes: served, remarks, model, graph, ...portsOf(graph) };
  });

/**
 * @param explain true to make the twin
 * @param use what the card says of layers that normalize with the mini-batch's statistics
 * @param labels number of the classes that the card names
 * @param monitor true to watch the layers
 * @throws UserError, in one line that begins with the file, if it is not an ONNX model or cannot be served
 */
export function prepareModel(
  file: string,
  bytes: Uint8Array,
  explain = true,
  use?: BatchNormUse,
  labels?: number,
  monitor = false,
): Prepared {
  const { bytes: tensors, remarks, model: original, inputs, outputs } = readOnnx(file, bytes);
  return explained(file, () => {
    const before = batchNormOf(original);
    const served = normalizing(tensors, original, before, use);
    const model = served === tensors ? original : decodeProto(served);
    // With "as-is", the layers are described as they were before they got copies of the statistics that they may
    // overwrite.
    const found = use === 'inference' && served !== tensors ? batchNormOf(model) : before;
    const noTwin = whyNotSwitchable(model, found);
    const output = outputOf(model.graph ?? {}, { outputs }, labels);
    return {
      inputs,
      outputs,
      sizes: likelySizes(model.graph ?? {}),
      model: served,
      ...describe(found, explain ? noTwin : undefined, remarks),
      ...(noTwin !== undefined && { noTwin }),
      ...(explain && noTwin === undefined && { switchable: switchable(served, model, found.layers) }),
      ...(monitor && watchingOf(served, model, found, noTwin)),
      ...(output && !output.isGuess && { output: { name: output.name, kind: output.kind } }),
    };
  });
}

/** Makes the watched network. A model that can have no switch cannot be watched either. */
function watchingOf(
  bytes: Uint8Array,
  model: onnx.IModelProto,
  { layers, ofBatch, undescribed }: BatchNorm,
  noTwin: string | undefined,
): Pick<Prepared, 'watching' | 'watched'> {
  const how = noTwin ?? watchable(model, layers);
  if (typeof how !== 'string') {
    return { watching: { layers: how }, watched: watched(bytes, model, layers, how) };
  }
  const hasLayers = layers.length + ofBatch.length + undescribed.length > 0;
  return { watching: { layers: [], ...(hasLayers && { noLayers: how }) } };
}

function describe(
  { layers, ofBatch, undescribed }: BatchNorm,
  noTwin: string | undefined,
  others: readonly string[],
): Pick<Prepared, 'batchNorm' | 'ofBatch' | 'remarks'> {
  const of = layers.length + ofBatch.length + undescribed.length;
  const own = `${ofBatch.length} of ${of} Batch Norm layers normalize with the mini-batch's own statistics`;
  return {
    batchNorm: layers,
    ...(ofBatch.length > 0 && { ofBatch: { layers: ofBatch.map(({ name }) => name), of } }),
    remarks: [
      ...others,
      ...(ofBatch.length > 0
        ? [`${own}, so that an answer depends on the other samples of its request: ${namesOf(ofBatch)}`]
        : []),
      ...(undescribed.length > 0 ? [`Batch Norm that is not described: ${namesOf(undescribed)}`] : []),
      ...(noTwin !== undefined ? [`no switch at the Batch Norm layers: ${noTwin}`] : []),
    ],
  };
}

/** @throws UserError, in one line that begins with the file, for a GraphError */
export function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GraphError) throw new UserError(oneLine(`${file}: ${error.message}`), { cause: error });
    throw error;
  }
}
