/**
 * Runs one inference: takes a parsed request and a model, and returns the protocol's response. It does not depend on
 * HTTP: its errors are values of `worker/errors.ts`.
 */
import type { CountRun } from '../drift/monitor.ts';
import { isBinary, sliceInputs } from './binary.ts';
import { quote, RequestError } from '../errors.ts';
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
  /** Counts the samples that were answered. */
  readonly samples: number;
  readonly response: InferenceResponse;
  /** Holds the bytes of the outputs for which the response has no `data`, in its order. */
  readonly binary: readonly Uint8Array[];
}

/**
 * Runs a model on a request. Batch Norm normalizes with the running statistics of training, so that no sample depends
 * on its neighbours, unless `parameters.statistics` asks for `batch`.
 * @param countRun is called with the feeds, when the model runs with the statistics that it uses by itself
 * @throws RequestError, InferenceError
 */
export function infer(model: Model, { request, binary }: Parts, maxBatch: number, countRun?: CountRun): Inference {
  const { session, name, version } = model;
  const { run, statistics } = runWith(model, request.parameters?.statistics, countRun);
  const isReported = request.parameters?.statistics !== undefined || statistics === 'batch';
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
      ...(isReported && {
        parameters: { statistics, ...(statistics === 'batch' && { note: statisticsNote(model, batch) }) },
      }),
      outputs: written.map(({ output }) => output),
    },
    binary: written.flatMap(({ bytes }) => (bytes ? [bytes] : [])),
  };
}

interface Written {
  readonly output: ResponseOutput;
  /** Replaces `data`. */
  readonly bytes?: Uint8Array;
}

/** Writes an output as the request wants it: as numbers or as classes, in JSON or in bytes. */
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
  /** The statistics that the layers use in this run. */
  readonly statistics: Statistics;
}

/**
 * @param asked `undefined` for the statistics that the model uses by itself
 * @param countRun is called with the feeds of each run with these
 * @throws RequestError when the model has no twin that could use other statistics, or no others
 */
export function runWith(model: Model, asked: Statistics | undefined, countRun?: CountRun): Run {
  const { name, session, switchable, ofBatch } = model;
  const own = ofBatch ? 'batch' : 'running';
  const statistics = asked ?? own;
  if (statistics === own) {
    const run: Session['run'] = (feeds, fetches) => {
      const outputs = session.run(feeds, fetches);
      countRun?.(feeds);
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

/** Explains why a model has no switchable twin, and what gives it one. */
export function whyNoTwin({ path, batchNorm, noTwin }: Model): string {
  if (noTwin !== undefined) return noTwin;
  if (batchNorm.length === 0) return 'it has no Batch Norm layers';
  return `set "explain": true in models/${path}/card.json and build again`;
}

/** Explains in plain words what mini-batch statistics do to this request. */
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

/** Returns the requested outputs, or all of them when none is named. */
function fetchesOf({ outputs = [] }: InferenceRequest, session: Session): readonly string[] {
  if (outputs.length === 0) return session.outputs.map(({ name }) => name);
  const names = outputs.map(({ name }) => declaredAs('outputs', name, session.outputs).name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RequestError('malformed', `outputs: expected each tensor once, got ${twice} twice`);
  }
  return names;
}
