/** The command `bn-edge evaluate`, with its help. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { at } from '../../training/arrays/index.ts';
import { type BackendName, backendNames } from '../../training/backend/index.ts';
import { classesOf, type DataSource } from '../../training/data/index.ts';
import type { Interval } from '../../training/answers/index.ts';
import { count, fourDigits, percent, readBytes, UserError } from '../../training/files/index.ts';
import { mistakesOf, scoresIn } from '../../training/objective/index.ts';
import {
  type AnswerSink,
  type Evaluated,
  evaluate as evaluateFile,
  type EvaluateOptions,
  type PartName,
  partNames,
} from '../../training/run/index.ts';
import { interruption } from '../../training/process/index.ts';
import { modelFileIn } from '../store/models-folder.ts';
import { knownOf } from '../store/known.ts';
import { backendFor, servedFile } from '../store/served-file.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';
import { calibrationTable, confusionTable, importanceTable } from './evaluation-tables.ts';
import { arePictures } from './mistakes.ts';
import { checkpointOf, isFolder, oneOf } from './model-options.ts';
import { wholeNumber } from './option-values.ts';
import { growPredictions, predictionsBegin, requireReplaceable, writePredictions } from './predictions.ts';
import { addReadingOptions, type ReadingFlags, takeReading } from './reading-options.ts';
import { rowsProgress } from './rows-progress.ts';
import { mistakesBeside, numbered, placed, showMistakes } from './show-mistakes.ts';
import { type StageLine, stageLine } from './stage.ts';
import { inLines } from './table.ts';
import { type Answer, completeCommand, type Subcommand } from './subcommand.ts';

interface Flags extends DataFlags, ReadingFlags {
  readonly checkpoint?: string;
  readonly model?: string;
  readonly part?: PartName;
  readonly backend?: BackendName;
  readonly worst?: number;
  readonly mistakes?: string;
  readonly predictions?: string;
  readonly importance?: true;
}

export const evaluate: Subcommand = {
  configure: (command) => {
    command
      .argument('[run|checkpoint]', 'a run folder, a safetensors file, a folder of models/ or an ONNX file')
      .addOption(new Option('--checkpoint <file>', 'a safetensors checkpoint').conflicts('model'))
      .option('--model <file>', 'an ONNX file from raw samples to logits')
      .addOption(
        new Option(
          '--part <name>',
          'of the data of the run, as it divided them (default: test; all of any others)',
        ).choices(partNames),
      )
      .addOption(
        new Option('--backend <name>', 'where it runs (default: native, and wasm for a quantized model)').choices(
          backendNames,
        ),
      )
      .option('--worst <n>', 'how many mistakes to show (default: 30 pictures, 10 of anything else)', wholeNumber(0))
      .option('--mistakes <file>', 'where their picture goes (default: mistakes.svg in the run folder)')
      .option(
        '--predictions <file>',
        'a CSV file with the answer to each sample, by its line or file, and the probability of each class; no labels are needed',
      )
      .option('--importance', 'what each column of a table is worth: its values are shuffled among the rows');
    addReadingOptions(command);
    addDataOptions(command, 'what the checkpoint was trained on');
    completeCommand<Flags>(command, page, run);
    return undefined;
  },
};

async function run(flags: Flags, argument: string | undefined): Promise<Answer> {
  const { reading, others: unread } = takeReading(flags);
  const { source, others } = takeDataSource(unread);
  const { checkpoint, model, importance, part, backend: asked, mistakes, predictions } = others;
  const option = checkpoint ?? model;
  const given = oneOf('evaluate', checkpoint === undefined ? '--model' : '--checkpoint', argument, option);
  if (given === undefined) {
    throw new UserError('evaluate: expected a run or a file, such as bn-edge evaluate runs/churn; --help lists all');
  }
  if (predictions !== undefined) await requireReplaceable('--predictions', predictions, predictionsBegin);
  const file = fileOf(given);
  const path = mistakes ?? mistakesBeside(file);
  await requireReplaceable('--mistakes', path, /^<svg /);
  using stage = stageLine('evaluate');
  const options = {
    ...(await subjectOf(file, asked)),
    data: source,
    part,
    needsLabel: predictions === undefined,
    reading,
    importance,
  };
  const evaluated =
    predictions === undefined
      ? await evaluateFile(options, stage.print, stage.show)
      : await evaluateInto(predictions, file, options, stage);
  stage.clear();
  const { samples, answers: output, objective, taken } = evaluated;
  printEvaluation(file, source, evaluated);
  const all = evaluated.isLabelled ? mistakesOf(samples, output, objective, evaluated.reading) : [];
  const { worst = arePictures(samples) ? 30 : 10 } = others;
  const shown = await placed(all.slice(0, worst), evaluated);
  await showMistakes(shown, all.length, samples, path);
  if (predictions !== undefined) {
    if (taken === undefined) await writePredictions(predictions, samples, output, objective, evaluated.reading);
    console.log(`the answers to all ${count(taken ?? samples.count)} samples: ${predictions}`);
  }
  return { file, ...answerOf(evaluated), mistakes: { count: all.length, worst: shown.map(numbered) }, predictions };
}

/** Returns the model to evaluate, and the backend for it. */
async function subjectOf(file: string, asked: BackendName | undefined) {
  if (!file.toLowerCase().endsWith('.onnx')) return { checkpoint: file, backend: asked ?? ('native' as const) };
  const served = await servedFile(file);
  const known = await knownOf(file, served);
  return { model: file, bytes: served.bytes, known, backend: asked ?? backendFor(file, served, console.log) };
}

function printEvaluation(file: string, source: DataSource | undefined, evaluated: Evaluated): void {
  const { samples, objective, report, baseline, unknown, isLabelled, taken, interval, importance } = evaluated;
  const scores = isLabelled ? scoresIn(objective, report, baseline) : ['no label to compare with'];
  const start = `${file} on ${count(taken ?? samples.count)} samples (${partName(evaluated, source)}): `;
  console.log(inLines(scores, { start, between: '   ' }));
  for (const { column, value, rows } of unknown) {
    console.log(`left out ${count(rows)} samples: ${column} ${JSON.stringify(value)} was not in the training data`);
  }
  if (report.confusion) console.log(confusionTable(report.confusion, classesOf(samples)));
  if (report.calibration) console.log(calibrationTable(report.calibration));
  if (interval) console.log(describeInterval(interval));
  if (importance) console.log(importanceTable(importance));
}

/** Tables of at least this many bytes are answered while they are read. */
const LARGE_TABLE = 64 << 20;

/**
 * Writes the answers to a large table row by row into a partial file, and resumes after the rows that an interrupted
 * command has answered.
 */
async function evaluateInto(
  path: string,
  file: string,
  options: EvaluateOptions,
  stage: StageLine,
): Promise<Evaluated> {
  using stop = interruption();
  const table = options.data?.path ?? '';
  const stats = statSync(table, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size < LARGE_TABLE) return await evaluateFile(options, stage.print, stage.show);
  const model = options.bytes ?? (await readBytes(file));
  const predictions = await growPredictions(path, [
    model,
    resolve(table),
    `${stats.size} ${stats.mtimeMs}`,
    JSON.stringify([options.reading, options.known?.threshold, options.known?.level]),
  ]);
  const { done, partial } = predictions;
  if (done > 0) stage.print(`resumes after ${count(done)} rows, whose answers are in ${partial}`);
  const sink: AnswerSink = {
    fromBytes: LARGE_TABLE,
    done,
    write: predictions.append,
    progress: rowsProgress(done, stage),
    signal: stop.signal,
    onInterrupted: () => `interrupted; the rows so far are in ${partial}, and the same command resumes after them`,
  };
  try {
    const evaluated = await evaluateFile({ ...options, sink }, stage.print);
    await (evaluated.taken !== undefined ? predictions.finish() : predictions.discard());
    return evaluated;
  } finally {
    stage.clear();
    await predictions.close();
  }
}

/** Returns the measurements, for programs. */
function answerOf({
  part,
  samples,
  taken,
  objective,
  report,
  baseline,
  unknown,
  reading: { threshold },
  interval,
  importance,
}: Evaluated): Answer {
  const { metrics, confusion, calibration, nonFinite } = report;
  return {
    part,
    rows: taken ?? samples.count,
    objective: objective.kind,
    scores: metrics,
    baseline,
    notNumbers: nonFinite,
    unknown,
    ...(confusion && { confusion: { classes: classesOf(samples), matrix: confusion } }),
    ...(calibration && { calibration }),
    ...(threshold && { threshold: { [at(classesOf(samples), threshold.class)]: threshold.at } }),
    ...(interval && { interval }),
    ...(importance && { importance }),
  };
}

/** Returns, for example, `90 % of values are to be within ±12.34 of the answer: 91.20 % are`. */
function describeInterval({ level, halfWidth, coverage }: Interval): string {
  const held = coverage === undefined ? '' : `: ${percent(coverage)} are`;
  return `${percent(level)} of values are to be within ±${fourDigits(halfWidth)} of the answer${held}`;
}

/** Describes the evaluated part. Data given with --data may turn out to be those that the run split. */
function partName({ part }: Evaluated, source: DataSource | undefined): string {
  if (source?.path === undefined) return part;
  return part === 'test' ? 'test, for it was trained on the others; --part all takes all' : `${part} of ${source.path}`;
}

/** Returns the checkpoint of a run folder, or the model of a folder in models/. */
function fileOf(path: string): string {
  const model = join(path, modelFileIn(path));
  if (isFolder(path) && existsSync(model)) return model;
  return path.toLowerCase().endsWith('.onnx') ? path : checkpointOf(path);
}

const page = {
  description: 'Scores, confusion matrix, calibration and worst mistakes of a run, a checkpoint or any ONNX file.',
  notes: `Rows with a category or a class that was not in the training data are left
out, and counted.`,
  examples: ['bn-edge evaluate runs/churn', 'bn-edge evaluate runs/churn --data march.csv --predictions answers.csv'],
} as const;
