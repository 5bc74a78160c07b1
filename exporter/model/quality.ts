/** Measures a model's answers during an export: how they are best read, and how far they can be trusted. */
import type { Importance } from '../../training/answers/index.ts';
import type { Backend } from '../../training/backend/index.ts';
import type { TrainedModel } from '../../training/checkpoint/index.ts';
import { hasLearntFromValidation, objectiveOf, outOfFoldOf } from '../../training/checkpoint/index.ts';
import { type Dataset, subset } from '../../training/data/index.ts';
import { quote, releasing } from '../../training/files/index.ts';
import {
  coverageOf,
  defaultLevel,
  type Fitted,
  fitAnswerRule,
  importanceOf,
  objectiveRuleOf,
  answerRuleOf,
  type AnswerRuleOptions,
  type Report,
  reportOn,
  scaledBy,
} from '../../training/objective/index.ts';
import { createEvaluator, runOverSamples, type State } from '../../training/trainer/index.ts';
import type { ModelCard } from '../store/card.ts';
import { inputNameOf, outputNameOf } from './inference-graph.ts';

/** The members of a card that state it. */
export type Quality = Pick<
  ModelCard,
  'threshold' | 'interval' | 'intervals' | 'temperature' | 'calibration' | 'importance'
> & { readonly metrics: Report['metrics'] };

/** Says how the answers of a former export are read. */
export type FormerReading = Pick<ModelCard, 'threshold' | 'interval' | 'intervals'>;

/** Completes the user's choice by the choices made for the former export. */
export function wishFor(
  { threshold, interval }: AnswerRuleOptions,
  former: FormerReading,
  model: TrainedModel,
  note: (line: string) => void,
): AnswerRuleOptions {
  const isOfNumbers = objectiveRuleOf(objectiveOf(model)).task === 'regression';
  const [[label, at] = []] = Object.entries(former.threshold?.at ?? {});
  const wish = interval ?? (isOfNumbers ? intervalOf(former) : undefined);
  const others = wish === undefined ? {} : { interval: wish };
  if (threshold || label === undefined || at === undefined) return { ...others, ...(threshold && { threshold }) };
  if (model.classes.length !== 2 || !model.classes.includes(label)) {
    note(`the threshold of ${quote(label)} in the former card is left out: it is none of these two classes`);
    return others;
  }
  const rule = former.threshold?.for ?? at;
  const how = rule === at ? `is ${at}` : 'is chosen anew for the same';
  note(`the threshold of ${quote(label)} ${how}, as in the former card; --threshold 0.5 drops it`);
  return { ...others, threshold: { rule, positive: label } };
}

/** Returns the interval that the user chose for the former export; undefined where it had the default. */
function intervalOf({ interval, intervals = [] }: FormerReading): AnswerRuleOptions['interval'] {
  if (interval !== undefined) return interval === defaultLevel ? undefined : interval;
  // Its validation part sufficed for the default, which was not shown all the same.
  return intervals.some(({ level }) => level === defaultLevel) ? false : undefined;
}

/**
 * Fits how answers are read, for the network with the given statistics: on the validation part, or on the answers of
 * folds if the network has learnt from that part.
 *
 * @throws UserError for a `wish` that does not fit the network
 */
export async function fitted(
  backend: Backend,
  checkpoint: string,
  model: TrainedModel,
  state: State,
  validation: Dataset,
  wish: AnswerRuleOptions,
): Promise<Fitted> {
  if (hasLearntFromValidation(model.record)) {
    const kept = await outOfFoldOf(checkpoint, model);
    if (kept) return fitAnswerRule(kept.samples, kept.answers, wish, 'out-of-fold');
    return fitAnswerRule(subset(validation, new Int32Array()), new Float32Array(), wish, 'none');
  }
  if (validation.count === 0) return fitAnswerRule(validation, new Float32Array(), wish);
  await using evaluator = releasing(await createEvaluator(backend, model.plan));
  const output = await evaluator.logits(state, validation);
  return fitAnswerRule(validation, output, wish);
}

/** Limits the rows that the importance of columns is measured on: seconds for a usual network. */
const IMPORTANCE_ROWS = 100_000;

/**
 * Measures the importance of each column for the exported file; undefined for other inputs, and for too many columns or
 * too few rows.
 */
export async function importanceOfFile(
  backend: Backend,
  model: TrainedModel,
  file: Uint8Array,
  test: Dataset,
): Promise<Importance | undefined> {
  const { columns } = model;
  if (!columns || test.count < 2) return undefined;
  await using session = releasing(await backend.loadSession(file));
  const ports = { input: inputNameOf(model), output: outputNameOf(model) };
  return await importanceOf((samples) => runOverSamples(session, samples, ports), test, columns, objectiveOf(model), {
    budget: IMPORTANCE_ROWS,
  });
}

/** @param output of the network for the test part, `[count, outputs]` */
export function qualityOf(model: TrainedModel, fit: Fitted, test: Dataset, output: Float32Array): Quality {
  const { temperature, threshold, level, intervals } = fit;
  const isTested = test.count > 0;
  const answers = scaledBy(output, temperature);
  const report = isTested ? reportOn(test, answers, objectiveOf(model), answerRuleOf(fit)) : undefined;
  const measured = intervals?.map((interval) =>
    isTested && test.task === 'regression'
      ? { ...interval, coverage: coverageOf(interval.halfWidth, answers, test.values) }
      : interval,
  );
  return {
    ...(threshold && {
      threshold: { at: { [threshold.label]: threshold.at }, ...(threshold.rule && { for: threshold.rule }) },
    }),
    ...(level !== undefined && { interval: level }),
    ...(measured && { intervals: measured }),
    ...(temperature !== undefined && { temperature }),
    ...(report?.calibration && { calibration: report.calibration }),
    metrics: report?.metrics ?? {},
  };
}
