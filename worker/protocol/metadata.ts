/** Describes the server and its models as the protocol does. */
import type { Column } from '../../training/columns/column.ts';
import { quote, RequestError } from '../errors.ts';
import type { Interval, RoundedWeights } from '../image.ts';
import { namesOf, versionsOf, type Model, type Models } from '../models.ts';
import { probabilitiesOf } from '../predict/kinds.ts';
import { version as packageVersion } from '../version.ts';
import type { TensorInfo } from './datatypes.ts';
import type { ColumnInfo, ModelMetadata, RepositoryIndex, ServerMetadata } from './responses.ts';
import { pictureInfoOf } from './samples.ts';

export const server: ServerMetadata = {
  name: 'bn-edge',
  version: packageVersion,
  extensions: ['binary_tensor_data', 'classification', 'model_configuration', 'statistics'],
};

/**
 * @param docs the path of the reference, where it is turned on
 * @param buildError see image.ts
 */
export const serverMetadata = (docs: string | undefined, buildError: string | undefined): ServerMetadata => ({
  ...server,
  ...(docs !== undefined && { docs }),
  ...(buildError !== undefined && { build_error: buildError }),
});

/**
 * @param version undefined for the current one
 * @throws RequestError when the name or the version is not served
 */
export function readModel(models: Models, name: string, version: string | undefined): Model {
  const versions = versionsOf(models, name);
  if (versions.length === 0) {
    throw new RequestError('not found', `model: expected ${namesOf(models.values()).join(' or ')}, got ${quote(name)}`);
  }
  const model = versions.find((candidate) => version === undefined || candidate.version === version);
  if (model !== undefined) return model;
  const served = versions.map((candidate) => candidate.version).join(' or ');
  throw new RequestError('not found', `version of ${name}: expected ${served}, got ${quote(version ?? '')}`);
}

/** Lists what the Worker does beyond answering. */
export interface Abilities {
  /** Is true when it looks inside its models. */
  readonly explains: boolean;
  /** Is true when it reports their drift. */
  readonly monitors: boolean;
}

export function metadataOf(models: Models, model: Model, { explains, monitors }: Abilities): ModelMetadata {
  const { name, description, labels, remarks, weights, ofBatch, output, session, switchable, table } = model;
  const { monitor, threshold, interval, calibration, importance } = model;
  const picture = pictureInfoOf(model);
  return {
    name,
    versions: versionsOf(models, name).map(({ version }) => version),
    platform: 'onnx_onnxv1',
    inputs: session.inputs.map(tensorOf),
    outputs: session.outputs.map(tensorOf),
    parameters: {
      ...(description !== undefined && { description }),
      ...(labels && { labels }),
      ...(ofBatch && { statistics: 'batch' }),
      ...(table && { columns: table.columns.map(infoOf) }),
      ...(output && { output }),
      ...(picture && { picture }),
      ...(switchable && explains && { explain: true }),
      ...(explains && mayExplainRows(model) && { explains_rows: true }),
      ...(monitor && monitors && { drift: true }),
      ...(weights && { weights: lossOf(weights) }),
      ...(threshold && { threshold }),
      ...(interval && { interval: widthOf(interval) }),
      ...(calibration && { calibration }),
      ...(importance && { importance }),
      ...(remarks && { remarks }),
    },
  };
}

/** Is true when the Worker can explain the answers to rows: see worker/why. */
function mayExplainRows({ table, output, ofBatch }: Model): boolean {
  if (!table || !output || ofBatch || table.input.shape[0] !== -1) return false;
  const hasScores = output.kind === 'number' || probabilitiesOf[output.kind] !== null;
  return hasScores && table.columns.every(({ typical }) => typical !== undefined);
}

/**
 * Describes a tensor. The protocol cannot say that any number of dimensions is accepted. One dimension of any size is
 * nearest: no dimension at all would be a single number.
 */
const tensorOf = ({ name, datatype, shape, anyShape }: TensorInfo): TensorInfo => ({
  name,
  datatype,
  shape: anyShape ? [-1] : shape,
});

const widthOf = ({ level, halfWidth, coverage }: Interval) => ({
  level,
  half_width: halfWidth,
  ...(coverage !== undefined && { coverage }),
});

const lossOf = ({ type, largestDifference, relativeDifference, samples, changedClasses }: RoundedWeights) => ({
  type,
  largest_difference: largestDifference,
  relative_difference: relativeDifference,
  samples,
  ...(changedClasses !== undefined && { changed_classes: changedClasses }),
});

/** Describes a column, with its fill as a client would write it, and without what concerns the preparation alone. */
function infoOf(column: Column): ColumnInfo {
  // Columns of categories have neither member, which their type would not let be left out.
  const all = { indicator: undefined, othersMissing: undefined, ...column };
  const { fill, indicator: _indicator, othersMissing: _others, ...own } = all;
  // A gap that is a category of its own has no name.
  const shown = column.kind === 'categorical' && fill !== null ? column.categories[fill] : fill;
  return { ...own, required: fill === null, ...(shown !== null && shown !== undefined && { fill: shown }) };
}

/** Lists all models. Every model is loaded before the first request, so Triton's `{"ready": true}` selects them all. */
export function repositoryIndex(models: Models): RepositoryIndex {
  return Array.from(models.values(), ({ name, version }) => ({ name, version, state: 'READY' as const, reason: '' }));
}
