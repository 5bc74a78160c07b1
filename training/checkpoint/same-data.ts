/** Whether data read again are those that a checkpoint was trained on, as far as its answers depend on it. */
import { classesOf, type Column, type DataSource, digestOf, type Knowledge, type LoadedData } from '../data/index.ts';
import { UserError } from '../files/index.ts';
import { formatShape } from '../graph/index.ts';
import { planNetwork } from '../network/index.ts';
import { type TrainedModel, withFills } from './model.ts';

/**
 * @returns the model; one from elsewhere, with no description of its own, with the classes and columns of the data
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

/** What reading data for a model goes by: its own columns and classes, unless it is said otherwise which columns there are. */
export function knowledgeOf(model: Partial<TrainedModel>, source: DataSource): Knowledge {
  const { record, columns, classes = [], picture } = model;
  const own = record?.data.source;
  const isSaid = ({ label, kinds, task }: DataSource) => JSON.stringify([label, kinds, task]);
  const isOwn = own !== undefined && isSaid(own) === isSaid(source);
  return { picture, ...(columns && isOwn && { table: { columns, classes } }) };
}

/** Whether these are the very samples that a model was trained on, divided as they were; undefined where nobody has written it down. */
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

/** Without the value that stands in for a missing one, which is the checkpoint's business. */
const meaningOf = (column: Column): string => {
  if (column.kind === 'numeric') return column.name;
  return `${column.name} (${(column.kind === 'date' ? column.parts : column.categories).join(', ')})`;
};

const listOf = (texts: readonly string[] = []): string => (texts.length > 0 ? texts.join(', ') : 'none');
