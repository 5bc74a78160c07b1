/**
 * Schemas of answers, from which the types of the code, the reference at /docs and the tests all come. They are made on
 * demand, because no request needs them.
 */
import * as z from 'zod/mini';
import { datatypes, type Datatype } from './datatypes.ts';
import { batchNormSchema, explainedLayerSchema } from './responses/batch-norm.ts';
import { driftSchema } from './responses/drift.ts';
import { modelConfigSchema, modelMetadataSchema, statisticsSchema } from './responses/metadata.ts';
import { answerSchema, explainedSchema, predictionSchema } from './responses/predictions.ts';
import { count, described, list, text } from './responses/vocabulary.ts';

/** Returns the schemas of the answers of the Open Inference Protocol, and of `/`. */
function protocolSchemas() {
  const parameters = z.record(text, z.union([text, z.number(), z.boolean()]));
  const datatype = z.enum(Object.keys(datatypes) as Datatype[]);
  const tensor = z.object({
    name: text,
    datatype,
    shape: described(
      list(z.int()),
      '-1 stands for a dimension of any size; [-1] also for any shape, if the file gives none.',
    ),
  });
  const output = z.object({
    ...tensor.shape,
    datatype: described(z.enum([...datatype.options, 'BYTES']), 'BYTES for classes, as `value:index:label`.'),
    shape: list(count),
    parameters: z.optional(z.object({ binary_data_size: count })),
    data: z.optional(
      described(
        list(z.union([z.number(), z.boolean(), text])),
        'Row-major. NaN, infinities and integers beyond 2^53 are strings. Absent where the data follow as bytes.',
      ),
    ),
  });
  const named = { model_name: text, model_version: text, id: z.optional(text) };
  const docs = z.optional(described(text, 'A path on this server: the reference, where it is turned on.'));
  const buildError = z.optional(
    described(text, 'Under wrangler dev: why the current models cannot be built; the previous ones answer.'),
  );
  return {
    ServerMetadata: z.object({ name: text, version: text, extensions: list(text), docs, build_error: buildError }),
    Live: z.object({ live: z.boolean() }),
    Ready: z.object({ live: z.boolean(), ready: z.boolean() }),
    ModelReady: z.object({ name: text, ready: z.boolean() }),
    ModelMetadata: modelMetadataSchema(tensor),
    RepositoryIndex: list(z.object({ name: text, version: text, state: z.literal('READY'), reason: text })),
    ModelConfig: modelConfigSchema(),
    ModelStatistics: z.object({
      model_stats: described(list(statisticsSchema()), 'Counted by each isolate, since it started.'),
    }),
    InferenceResponse: z.object({ ...named, parameters: z.optional(parameters), outputs: list(output) }),
    Overview: z.object({
      name: text,
      version: text,
      models: list(
        z.object({ name: text, version: text, url: described(text, "A path on this server: the model's metadata.") }),
      ),
      docs,
      build_error: buildError,
    }),
    Error: z.object({ error: described(text, 'where: expected X, got Y') }),
  };
}

/** Returns the schemas of the answers at the paths that the Open Inference Protocol does not have. */
function ownSchemas() {
  const named = { model_name: text, model_version: text, id: z.optional(text) };
  const prediction = predictionSchema();
  const answer = answerSchema();
  return {
    Explanation: explainedSchema(),
    PredictResponse: z.object({
      predictions: described(list(answer), 'One per row.'),
      note: z.optional(text),
    }),
    V1Models: z.object({ models: described(list(text), 'Their names.') }),
    V1Ready: z.object({ name: text, ready: z.boolean() }),
    ClassifyResponse: z.object({
      ...named,
      statistics: z.enum(['running', 'batch']),
      note: z.optional(text),
      predictions: described(
        list(z.extend(prediction, { image: z.optional(described(text, 'What the model saw: a PNG as a data URL.')) })),
        'One per sample.',
      ),
    }),
    BatchNormResponse: batchNormSchema(),
    DriftResponse: driftSchema(),
    ExplainResponse: z.object({
      ...named,
      batch_size: count,
      sample: count,
      predictions: z.optional(
        described(z.object({ running: prediction, batch: prediction }), 'For a model for classes.'),
      ),
      answers: z.optional(
        described(
          z.object({ running: answer, batch: answer }),
          'The answers as of predict, for a model whose card says what its output is.',
        ),
      ),
      layers: list(explainedLayerSchema()),
    }),
  };
}

export function responseSchemas() {
  return { ...protocolSchemas(), ...ownSchemas() };
}

type Responses = {
  [Name in keyof ReturnType<typeof responseSchemas>]: z.output<ReturnType<typeof responseSchemas>[Name]>;
};

export type Overview = Responses['Overview'];
export type ServerMetadata = Responses['ServerMetadata'];
export type ModelMetadata = Responses['ModelMetadata'];
export type RepositoryIndex = Responses['RepositoryIndex'];
export type ModelConfig = Responses['ModelConfig'];
export type ModelStatistics = Responses['ModelStatistics']['model_stats'][number];
export type InferenceResponse = Responses['InferenceResponse'];
export type ResponseOutput = InferenceResponse['outputs'][number];
export type BatchNormResponse = Responses['BatchNormResponse'];
export type ClassifyResponse = Responses['ClassifyResponse'];
export type PredictResponse = Responses['PredictResponse'];
export type Prediction = ClassifyResponse['predictions'][number];
export type PictureInfo = NonNullable<ModelMetadata['parameters']['picture']>;
export type ColumnInfo = NonNullable<ModelMetadata['parameters']['columns']>[number];
export type Explained = z.output<ReturnType<typeof explainedSchema>>;
export type RowPrediction = PredictResponse['predictions'][number];
export type DriftResponse = Responses['DriftResponse'];
export type ExplainResponse = Responses['ExplainResponse'];
