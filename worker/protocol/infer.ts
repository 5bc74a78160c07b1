/** One inference: a parsed request and a model in, tensors and the protocol's response out. Knows nothing of HTTP. */
import type { Seen } from '../drift/monitor.ts';
import { isBinary, sliceInputs } from './binary.ts';
import { quote, RequestError } from '../http/errors.ts';
import type { Model } from '../models.ts';
import { bytesOfTexts, classesOfOutput } from './classification.ts';
import { bytesOf, type Tensor } from './datatypes.ts';
import type { InferenceRequest, Statistics } from './protocol.ts';
import type { Parts } from './request.ts';
import type { InferenceResponse, ResponseOutput } from './responses.ts';
import { checkRows } from './rows.ts';
import type { Session } from './session.ts';
import { declaredAs, jsonData, readInputs } from './tensors.ts';

export interface Inference {
  /** How many were answered. */
  readonly samples: number;
  readonly response: InferenceResponse;
  /** The bytes of the outputs that the response holds no `data` of, in its order. */
  readonly binary: readonly Uint8Array[];
}

/**
 * Batch Norm normalizes with the running statistics of training, so that no sample depends on its neighbours, unless
 * `parameters.statistics` asks for `batch`.
 * @param seen is told of a run with running statistics
 * @throws RequestError, InferenceError
 */
export function infer(model: Model, { request, binary }: Parts, maxBatch: number, seen?: Seen): Inference {
  const { session, name, version } = model;
  const { run, statistics } = runWith(model, request.parameters?.statistics, seen);
  const isSaid = request.parameters?.statistics !== undefined || statistics === 'batch';
  const feeds = readInputs(request.inputs, sliceInputs(request.inputs, binary), session.inputs, maxBatch);
  checkRows(model, feeds);
  const outputs = Array.from(run(feeds, fetchesOf(request, session)));
  const batch = request.inputs[0]?.shape[0] ?? 1;
  const written = outputs.map(([output, tensor]) => writeOutput(model, request, output, tensor));
  return {
    samples: batch,
    response: {
      model_name: name,
      model_version: version,
      ...(request.id !== undefined && { id: request.id }),
      ...(isSaid && {
        parameters: { statistics, ...(statistics === 'batch' && { note: statisticsNote(model, batch) }) },
      }),
      outputs: written.map(({ output }) => output),
    },
    binary: written.flatMap(({ bytes }) => (bytes ? [bytes] : [])),
  };
}

interface Written {
  readonly output: ResponseOutput;
  /** In place of `data`. */
  readonly bytes?: Uint8Array;
}

/** As numbers or as classes, in JSON or in bytes, as the request wants it. */
function writeOutput({ session, labels }: Model, request: InferenceRequest, name: string, tensor: Tensor): Written {
  const wanted = request.outputs?.find((output) => output.name === name);
  const count = wanted?.parameters?.classification ?? 0;
  if (count === 0)
    return isBinary(request, wanted) ? inBytes(name, tensor, bytesOf(tensor.data)) : inJson(name, tensor);
  const classes = classesOfOutput(tensor, declaredAs('outputs', name, session.outputs), count, labels);
  const texts = { ...classes, datatype: 'BYTES' } as const;
  return isBinary(request, wanted) ? inBytes(name, texts, bytesOfTexts(classes.data)) : { output: { name, ...texts } };
}

function inBytes(
  name: string,
  { datatype, shape }: Pick<ResponseOutput, 'datatype' | 'shape'>,
  bytes: Uint8Array,
): Written {
  return { output: { name, datatype, shape, parameters: { binary_data_size: bytes.byteLength } }, bytes };
}

const inJson = (name: string, tensor: Tensor): Written => ({
  output: { name, datatype: tensor.datatype, shape: tensor.shape, data: jsonData(tensor) },
});

export interface Run {
  readonly run: Session['run'];
  /** What the model's layers normalize with in it. */
  readonly statistics: Statistics;
}

/**
 * @param asked `undefined` for what the model does by itself
 * @param seen is told of each run of the model as it is
 * @throws RequestError where the model carries no twin that could use other statistics, or knows none
 */
export function runWith(model: Model, asked: Statistics | undefined, seen?: Seen): Run {
  const { name, session, switchable, ofBatch } = model;
  const own = ofBatch ? 'batch' : 'running';
  const statistics = asked ?? own;
  if (statistics === own) {
    const run: Session['run'] = (feeds, fetches) => {
      const outputs = session.run(feeds, fetches);
      seen?.(feeds);
      return outputs;
    };
    return { run, statistics };
  }
  if (switchable) return { run: switchable[statistics], statistics };
  const why = ofBatch ? `its layers ${ofBatch.layers.join(', ')} have no others` : whyNoTwin(model);
  throw new RequestError(
    'malformed',
    `statistics: expected ${quote(own)} for ${name}, got ${quote(statistics)}: ${why}`,
  );
}

/** Why a model carries no switchable twin, and what gives it one. */
export function whyNoTwin({ path, batchNorm, noTwin }: Model): string {
  if (noTwin !== undefined) return noTwin;
  if (batchNorm.length === 0) return 'it has no Batch Norm layers';
  return `set "explain": true in models/${path}/card.json and build again`;
}

/** What mini-batch statistics do to this request, in plain words. */
export function statisticsNote({ ofBatch }: Model, batch: number): string {
  const layers =
    ofBatch && ofBatch.layers.length < ofBatch.of
      ? `${ofBatch.layers.length} of the file's ${ofBatch.of} Batch Norm layers`
      : 'Every Batch Norm layer of the file';
  return batch === 1
    ? `${layers} normalized this sample with its own mean and variance, as in training. A dense layer then ` +
        'sees one value per channel, which minus its own mean is 0 for any input: the answer says little about the sample.'
    : `${layers} normalized with the mean and variance of these ${batch} samples, as in training: each answer ` +
        `depends on the other samples and changes when they do.${ofBatch ? '' : ' Use "running" for answers that do not.'}`;
}

/** The requested outputs, or all of them where none is named. */
function fetchesOf({ outputs = [] }: InferenceRequest, session: Session): readonly string[] {
  if (outputs.length === 0) return session.outputs.map(({ name }) => name);
  const names = outputs.map(({ name }) => declaredAs('outputs', name, session.outputs).name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RequestError('malformed', `outputs: expected each tensor once, got ${twice} twice`);
  }
  return names;
}
