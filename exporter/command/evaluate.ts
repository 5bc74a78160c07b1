/** `bn-edge evaluate --help` */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Option } from 'commander';
import { type BackendName, backendNames } from '../../training/backend/index.ts';
import { classesOf, type Dataset } from '../../training/data/index.ts';
import { count, UserError, writeAtomically } from '../../training/files/index.ts';
import { formatReport, type Mistake, mistakesOf } from '../../training/objective/index.ts';
import { evaluate as evaluateFile, type PartName, partNames } from '../../training/run/index.ts';
import { knownOf } from '../store/known.ts';
import { confusionTable } from './confusion-table.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';
import { arePictures, drawMistakes } from './mistakes.ts';
import { checkpointOf, isFolder, oneOf } from './model-options.ts';
import { wholeNumber } from './numbers.ts';
import { type Answer, answers, type Subcommand } from './subcommand.ts';

interface Flags extends DataFlags {
  readonly checkpoint?: string;
  readonly model?: string;
  readonly part?: PartName;
  readonly backend: BackendName;
  readonly worst: number;
  readonly mistakes: string;
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
          'of the data, as the run divided them (default: test of its own data, all of any others)',
        ).choices(partNames),
      )
      .addOption(new Option('--backend <name>', 'where it runs').choices(backendNames).default('native'))
      .option('--worst <n>', 'how many mistakes to show', wholeNumber(0), 30)
      .option('--mistakes <file>', 'where their picture goes', 'runs/mistakes.svg');
    addDataOptions(command, 'what the checkpoint was trained on');
    answers<Flags>(command, page, run);
    return undefined;
  },
};

async function run(flags: Flags, argument: string | undefined): Promise<Answer> {
  const { source, others } = takeDataSource(flags);
  const { checkpoint, model, part, backend, worst, mistakes: path } = others;
  const option = checkpoint ?? model;
  const given = oneOf('evaluate', checkpoint === undefined ? '--model' : '--checkpoint', argument, option);
  if (given === undefined) {
    throw new UserError('evaluate: expected a run or a file, such as bn-edge evaluate runs/churn; --help lists all');
  }
  const file = fileOf(given);
  const isOnnx = file.toLowerCase().endsWith('.onnx');
  const subject = isOnnx ? { model: file, known: await knownOf(file) } : { checkpoint: file };
  const evaluated = await evaluateFile({ ...subject, data: source, part, backend }, console.log);
  const { samples, answers: output, objective, report, unknown } = evaluated;
  console.log(`${file} on ${count(samples.count)} samples (${evaluated.part}): ${formatReport(objective, report)}`);
  for (const { column, value, rows } of unknown) {
    console.log(`left out ${count(rows)} samples: ${column} ${JSON.stringify(value)} was not in the training data`);
  }
  if (report.confusion) console.log(confusionTable(report.confusion, classesOf(samples)));
  await showMistakes(mistakesOf(samples, output, objective), samples, worst, path);
  return { file, part: evaluated.part, rows: samples.count, scores: report.metrics, unknown };
}

/** The checkpoint of a run folder, or the model of a folder in models/. */
function fileOf(path: string): string {
  const model = join(path, 'model.onnx');
  if (isFolder(path) && existsSync(model)) return model;
  return path.toLowerCase().endsWith('.onnx') ? path : checkpointOf(path);
}

async function showMistakes(all: readonly Mistake[], samples: Dataset, worst: number, path: string): Promise<void> {
  const mistakes = all.slice(0, worst);
  if (mistakes.length === 0) return;
  if (!arePictures(samples)) {
    for (const { sample, expected, got, detail } of mistakes) {
      console.log(`sample ${sample}: expected ${expected}, got ${got} (${detail})`);
    }
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeAtomically(path, drawMistakes(mistakes, samples));
  console.log(`the ${mistakes.length} worst of ${all.length} mistakes: ${path}`);
}

const page = {
  description: 'Metrics, confusion matrix and worst mistakes of a run, a checkpoint or any ONNX file.',
  notes: `Rows with a category or a class that was not in the training data are left
out, and counted.`,
  examples: ['bn-edge evaluate runs/churn', 'bn-edge evaluate runs/churn --data churn-of-march.csv'],
} as const;
