/**
 * Chooses the samples that a trained network is judged by: the part that its run kept apart, or data that it has never
 * seen.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { at } from '../arrays/index.ts';
import { describedBy, isTrainedOn, knowledgeOf, type TrainedModel } from '../checkpoint/index.ts';
import {
  type Dataset,
  type DataSource,
  hasMnistFiles,
  joined,
  type KnownBlocks,
  type LoadedData,
  loadSource,
  openKnownTable,
  readInputsAlone,
  readKnownTable,
  type Samples,
  sourceName,
  subset,
  type Unknown,
} from '../data/index.ts';
import { unexpected, UserError } from '../files/index.ts';
import type { Interval, Thresholds } from '../answers/index.ts';
import type { KnownOutput } from './evaluation.ts';

export const partNames = ['test', 'validation', 'train', 'all'] as const;
export type PartName = (typeof partNames)[number];

export interface ChosenSamples {
  readonly samples: Dataset;
  readonly part: PartName;
  /** Texts that the model has never seen; their rows are left out. */
  readonly unknown: readonly Unknown[];
  /** The source that was read, and notes about it. */
  readonly source: DataSource;
  readonly notes?: readonly string[] | undefined;
  /** Is true where there are labels to compare answers with. */
  readonly isLabelled: boolean;
  /** The part that the model was trained on, where it is available. */
  readonly train?: Dataset | undefined;
  /** The part that answers may be fitted to, where it is available. */
  readonly validation?: Dataset | undefined;
}

/** The known facts about a model besides its answers. */
export type KnownModel = Partial<TrainedModel> & {
  readonly output?: KnownOutput;
  /** The column of a table that is predicted. */
  readonly label?: string;
  readonly threshold?: Thresholds;
  /** The level of the interval that is shown, and the interval of each level. */
  readonly level?: number;
  readonly intervals?: readonly Interval[];
};

/**
 * Chooses samples for an evaluation.
 *
 * @param source the data to read instead of the run's own, or options to read these differently
 * @param part of the run's own data. Default: the test part of the run's own data; all samples of other data
 * @param needsLabel whether a table without the label, or pictures without classes, are refused
 * @throws UserError for data that the model cannot take, and where there are none
 */
export async function chooseSamples(
  model: KnownModel,
  source: DataSource | undefined,
  part: PartName | undefined,
  needsLabel = true,
): Promise<ChosenSamples> {
  const { record } = model;
  if (!source && !record)
    throw new UserError('evaluate: expected --data, since the model does not record its training data, got none');
  const all = { ...record?.data.source, ...source };
  if (part !== undefined && part !== 'all') return partOfOwnData(model, all, part);
  if (part === undefined && (!source || bringsTestPart(all))) return partOfOwnData(model, all, 'test');
  const chosen = await wholeData(model, all, needsLabel);
  if (part === 'all' || !chosen.isLabelled || chosen.samples.count !== ownCount(model) || chosen.unknown.length > 0)
    return chosen;
  // The data have as many samples as the run's own. If they are the same, most of them were trained on.
  const own = await loadOwn(model, all);
  const isOwn = isTrainedOn(own, model) ?? true;
  return isOwn ? chosenPart(own, all, 'test') : chosen;
}

/**
 * Returns a part of the run's own data.
 *
 * @throws UserError where the data are not those that the model was trained on
 */
async function partOfOwnData(
  model: KnownModel,
  source: DataSource,
  part: Exclude<PartName, 'all'>,
): Promise<ChosenSamples> {
  const data = await loadOwn(model, source);
  if (isTrainedOn(data, model) === false && !(part === 'test' && isMovedTest(model, source))) {
    throw unexpected(
      source.path ?? sourceName(source),
      'the samples that the model was trained on',
      `others; --data ${source.path ?? '<file>'} without --part scores all of them`,
    );
  }
  if (isCheckpoint(model)) describedBy(data, model);
  return chosenPart(data, source, part);
}

const loadOwn = (model: KnownModel, source: DataSource): Promise<LoadedData> =>
  loadSource(source, model.record?.config.seed ?? 1, knowledgeOf(model, source));

/**
 * Returns the validation part of the data that a run was trained on; undefined where they cannot be read or have
 * changed.
 *
 * @param note receives the reason why the part is not available
 */
export async function ownValidation(model: KnownModel, note: (line: string) => void): Promise<Dataset | undefined> {
  const source = model.record?.data.source;
  if (!source) return undefined;
  let why = `${source.path ?? sourceName(source)} has changed since`;
  try {
    const data = await loadOwn(model, source);
    if (isTrainedOn(data, model) !== false) return data.validation;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    why = error.message;
  }
  note(`answers are read as the network gives them, without the run's validation part: ${why}`);
  return undefined;
}

const chosenPart = (data: LoadedData, source: DataSource, part: Exclude<PartName, 'all'>): ChosenSamples => ({
  samples: data[part],
  part,
  unknown: [],
  source,
  isLabelled: true,
  train: data.train,
  validation: data.validation,
});

/** Is true for files of other data that have a test part of their own, which the run has not trained on. */
const isMovedTest = (model: KnownModel, source: DataSource): boolean =>
  bringsTestPart(source) && !isSamePath(model, source);

/**
 * Opens a table that is answered as a whole and has at least `fromBytes` bytes; undefined where there is no such table.
 *
 * @throws UserError for a table that lacks columns
 */
export async function largeTable(
  model: KnownModel,
  source: DataSource | undefined,
  part: PartName | undefined,
  { needsLabel, blockRows, fromBytes }: { needsLabel: boolean; blockRows: number; fromBytes: number },
): Promise<(KnownBlocks & { readonly source: DataSource }) | undefined> {
  const all = { ...model.record?.data.source, ...source };
  const { path, label = model.label ?? '' } = all;
  const { columns, classes = [] } = model;
  const isWhole = part === 'all' || (part === undefined && source?.path !== undefined);
  if (!isWhole || !columns || path === undefined) return undefined;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size < fromBytes) return undefined;
  const options = { ...all, label, kinds: undefined };
  return { ...(await openKnownTable(path, options, { columns, classes }, { needsLabel, blockRows })), source: all };
}

async function wholeData(model: KnownModel, source: DataSource, needsLabel: boolean): Promise<ChosenSamples> {
  const { path, label = model.label } = source;
  const { columns, classes = [] } = model;
  if (columns && path !== undefined) {
    if (label === undefined && needsLabel)
      throw unexpected(path, 'the name of the label to compare with (--label)', 'none');
    const { dataset, unknown, notes, isLabelled } = await readKnownTable(
      path,
      { ...source, label: label ?? '', kinds: undefined },
      { columns, classes },
      needsLabel,
    );
    return { samples: dataset, part: 'all', unknown, source, notes, isLabelled };
  }
  const alone = needsLabel || path === undefined ? undefined : await readInputsAlone(path, source);
  if (alone && path !== undefined) {
    const samples = unlabelled(alone.samples, model, path);
    return { samples, part: 'all', unknown: [], source, notes: alone.notes, isLabelled: false };
  }
  const whole = { ...source, validationShare: 0, testShare: 0 };
  const data = await loadSource(whole, 1, { picture: model.picture, needsLabel });
  const samples = joined(data.train, data.validation, data.test);
  const chosen = { part: 'all', source, notes: data.notes } as const;
  if (!needsLabel && isOfNoClass(samples, classes)) {
    return {
      ...chosen,
      samples: unlabelled(samples, model, path ?? sourceName(source)),
      unknown: [],
      isLabelled: false,
    };
  }
  return { ...chosen, ...withClasses(samples, classes), isLabelled: true };
}

/** Is true for pictures without folders of classes, or in folders with other names. */
const isOfNoClass = (samples: Dataset, classes: readonly string[]): boolean =>
  samples.task === 'classification' &&
  samples.files !== undefined &&
  !samples.classes.some((name) => classes.length === 0 || classes.includes(name));

/** @throws UserError where neither classes nor a kind of answer are known */
function unlabelled({ inputs, inputShape, count, files, places }: Samples, model: KnownModel, where: string): Dataset {
  const { classes = [], output } = model;
  const samples = { inputs, inputShape, count, files, places };
  if (classes.length > 0)
    return { ...samples, task: 'classification', labels: new Int32Array(count).fill(-1), classes };
  if (isCheckpoint(model) || output?.kind === 'number')
    return { ...samples, task: 'regression', values: new Float32Array(count).fill(NaN) };
  throw unexpected(where, 'the names of the classes, as "labels" in the card or as folders', 'neither');
}

/** Renumbers the samples' classes as the model does, and leaves out samples of classes that it lacks. */
function withClasses(samples: Dataset, classes: readonly string[]): Pick<ChosenSamples, 'samples' | 'unknown'> {
  if (samples.task !== 'classification' || classes.length === 0) return { samples, unknown: [] };
  const numbers = samples.classes.map((name) => classes.indexOf(name));
  const numberOf = (sample: number) => at(numbers, at(samples.labels, sample));
  const kept = Int32Array.from([...samples.labels.keys()].filter((sample) => numberOf(sample) >= 0));
  const rows = (k: number) => samples.labels.reduce((sum, label) => sum + (label === k ? 1 : 0), 0);
  const unknown = [...samples.classes.keys()].filter((k) => at(numbers, k) < 0);
  return {
    samples: { ...subset(samples, kept), labels: kept.map(numberOf), classes },
    unknown: unknown.map((k) => ({ column: 'class', value: at(samples.classes, k), rows: rows(k) })),
  };
}

const isCheckpoint = (model: KnownModel): model is TrainedModel => model.plan !== undefined;

const bringsTestPart = ({ path }: DataSource): boolean => path === undefined || hasMnistFiles(path);

const isSamePath = ({ record }: KnownModel, { path = '' }: DataSource): boolean =>
  record?.data.source?.path !== undefined && resolve(record.data.source.path) === resolve(path);

function ownCount({ record }: KnownModel): number {
  return record ? record.data.train + record.data.validation + record.data.test : NaN;
}
