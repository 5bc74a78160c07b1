/** Checks whether data that are read again fit the model of a checkpoint, as far as its answers depend on them. */
import { classesOf, type Column, type DataSource, digestOf, type Knowledge, type LoadedData } from '../data/index.ts';
import { UserError } from '../files/index.ts';
import { formatShape } from '../graph/index.ts';
import { planNetwork } from '../network/index.ts';
import { type TrainedModel, withFills } from './model.ts';

/**
 * Checks that data fit a model.
 *
 * @returns the model. One of another program, without a description of its own, gets the classes and columns of the
 * data
 * @throws UserError for data with other inputs, classes or columns than the model's
 */
export function describedBy(data: LoadedData, model: TrainedModel): TrainedModel {
  const classes = classesOf(data.test);
  const { picture } = data;
  const columns = data.columns ?? undefined;
  requireSame('inputs', formatShape(model.plan.network.inputShape), formatShape(data.test.inputShape));
  if (!model.record) {
    const plan = planNetwork(withFills(model.plan.network, columns));
    return { ...model, plan, classes, ...(columns && { columns }), ...(picture && { picture }) };
  }
  requireSame('classes', listOf(model.classes), listOf(classes));
  requireSame('columns', listOf(model.columns?.map(meaningOf)), listOf(columns?.map(meaningOf)));
  return model;
}

/**
 * Returns what is known about data that are read for a model: its own columns and classes, unless the source names
 * others.
 */
export function knowledgeOf(model: Partial<TrainedModel>, source: DataSource): Knowledge {
  const { record, columns, classes = [], picture } = model;
  const own = record?.data.source;
  const choicesIn = ({ label, kinds, task }: DataSource) => JSON.stringify([label, kinds, task]);
  const isOwn = own !== undefined && choicesIn(own) === choicesIn(source);
  return { picture, ...(columns && isOwn && { table: { columns, classes } }) };
}

/**
 * Is true where these are the same samples, divided in the same way, that a model was trained on. It is undefined where
 * the checkpoint does not record them.
 */
export function isTrainedOn(
  { train, validation, test }: LoadedData,
  { record }: Partial<Pick<TrainedModel, 'record'>>,
): boolean | undefined {
  const sha256 = record?.data.sha256;
  return sha256 === undefined ? undefined : digestOf(train, validation, test) === sha256;
}

function requireSame(what: string, trained: string, read: string): void {
  if (trained !== read) throw new UserError(`data: expected the ${what} of the checkpoint, ${trained}, got ${read}`);
}

/** Describes a column without the value that replaces missing ones, which the checkpoint alone defines. */
const meaningOf = (column: Column): string => {
  if (column.kind === 'numeric') return column.name;
  return `${column.name} (${(column.kind === 'date' ? column.parts : column.categories).join(', ')})`;
};

const listOf = (texts: readonly string[] = []): string => (texts.length > 0 ? texts.join(', ') : 'none');
