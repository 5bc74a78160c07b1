/**
 * Does what every export starts with: reads a checkpoint and its data, chooses the statistics, and fits how its answers
 * are read.
 */
import type { Backend } from '../../training/backend/index.ts';
import {
  describedBy,
  isTrainedOn,
  knowledgeOf,
  loadModel,
  type TrainedModel,
} from '../../training/checkpoint/index.ts';
import { type Dataset, type DataSource, type LoadedData, loadSource, sourceName } from '../../training/data/index.ts';
import { unexpected } from '../../training/files/index.ts';
import type { Network } from '../../training/network/index.ts';
import type { Fitted, AnswerRuleOptions } from '../../training/objective/index.ts';
import { populationStatistics, type State } from '../../training/trainer/index.ts';
import type { StatisticsSource } from '../store/card.ts';
import { fitted, type FormerReading, wishFor } from './quality.ts';

export interface ExportSource {
  readonly checkpoint: string;
  /** `network` is for a checkpoint that does not describe its network. */
  readonly network?: Network | undefined;
  /**
   * Says where the checkpoint's own data are now, or what else to read of them; or names the data of a checkpoint that
   * names none.
   */
  readonly data?: DataSource | undefined;
  /** Default: the running average. */
  readonly statistics?: StatisticsSource | undefined;
  /** Says how answers are read. Default: as in the former export. */
  readonly reading?: AnswerRuleOptions | undefined;
}

export interface FittedModel {
  /** `described` has the running average. */
  readonly described: TrainedModel;
  /** `model` has the chosen statistics. */
  readonly model: TrainedModel;
  readonly data: LoadedData;
  readonly states: States;
  readonly fit: Fitted;
}

/**
 * Reads the checkpoint and its data, and fits on the validation part how answers are read.
 *
 * @param former how the answers of a former export are read
 * @param note receives remarks on anything unusual
 * @param onStage receives the name of each stage
 * @throws UserError for a checkpoint or data that cannot be read, and for a `reading` that does not fit them
 */
export async function fittedModel(
  { checkpoint, network, data: source, statistics = 'running', reading = {} }: ExportSource,
  former: FormerReading,
  backend: Backend,
  note: (line: string) => void,
  onStage: (stage: string) => void,
): Promise<FittedModel> {
  onStage('read the checkpoint and its data');
  const trained = await loadModel(checkpoint, network);
  const data = await loadOwnData(trained, source, note);
  const described = describedBy(data, trained);
  onStage('measure the statistics and the scores');
  const states = await statesOf(described, data.train, backend);
  const model = { ...described, tensors: states[statistics] };
  const wish = wishFor(reading, former, model, note);
  const fit = await fitted(backend, checkpoint, model, states[statistics], data.validation, wish);
  for (const line of fit.notes) note(line);
  return { described, model, data, states, fit };
}

/** @throws UserError if the run's own data have changed since, unless the user names them */
async function loadOwnData(
  trained: TrainedModel,
  source: DataSource | undefined,
  note: (line: string) => void,
): Promise<LoadedData> {
  const { record } = trained;
  const all = { ...record?.data.source, ...source };
  const data = await loadSource(all, record?.config.seed ?? 0, knowledgeOf(trained, all));
  if (isTrainedOn(data, trained) !== false) return data;
  const where = all.path ?? sourceName(all);
  if (!source) {
    const got = `others; --data ${where} verifies and scores it with these`;
    throw unexpected(where, 'the samples that the model was trained on', got);
  }
  note(`${where} is not what the model was trained on: the scores are of samples that it may have been trained on`);
  return data;
}

export type States = Readonly<Record<StatisticsSource, State>>;

async function statesOf({ plan, tensors }: TrainedModel, train: Dataset, backend: Backend): Promise<States> {
  return { running: tensors, population: await populationStatistics(backend, plan, tensors, train) };
}
