/** `npm run evaluate -- --help` */
import { Command, Option } from 'commander';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BackendName, backendNames, createBackend } from '../../training/backend/index.ts';
import { classesOf, type Dataset, loadSource } from '../../training/data/index.ts';
import { count, UserError, writeAtomically } from '../../training/files/index.ts';
import { loadModel, objectiveOf } from '../../training/checkpoint/index.ts';
import { formatReport, type Mistake, mistakesOf, objectiveFor, reportOn } from '../../training/objective/index.ts';
import { confusionTable } from './confusion-table.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';
import { answersOfCheckpoint, answersOfModel } from '../../training/run/index.ts';
import { arePictures, drawMistakes } from './mistakes.ts';
import { wholeNumber } from './numbers.ts';
import { runCommand } from './run-command.ts';

const parts = ['test', 'validation', 'train'] as const;

interface Flags extends DataFlags {
  readonly checkpoint?: string;
  readonly model?: string;
  readonly part: (typeof parts)[number];
  readonly backend: BackendName;
  readonly worst: number;
  readonly mistakes: string;
}

const command = new Command('evaluate')
  .description('Metrics, confusion matrix and worst mistakes of a checkpoint or of any ONNX file.')
  .addOption(new Option('--checkpoint <file>', 'a safetensors checkpoint of this project').conflicts('model'))
  .option('--model <file>', 'an ONNX file from raw samples to logits')
  .addOption(
    new Option('--part <name>', 'of the data; as the checkpoint was trained on it').choices(parts).default('test'),
  )
  .addOption(new Option('--backend <name>', 'where it runs').choices(backendNames).default('native'))
  .option('--worst <n>', 'how many mistakes to show', wholeNumber(0), 30)
  .option('--mistakes <file>', 'where their picture goes', 'runs/mistakes.svg');

addDataOptions(command, 'what the checkpoint was trained on, or MNIST').action(evaluate);

async function evaluate(flags: Flags): Promise<void> {
  const { source, others } = takeDataSource(flags);
  const { checkpoint, model, part, backend: name, worst, mistakes: path } = others;
  const file = checkpoint ?? model;
  if (file === undefined) throw new UserError('evaluate: expected --checkpoint or --model, got neither');
  const trained = checkpoint === undefined ? undefined : await loadModel(checkpoint);
  const record = trained?.record;
  const samples = (await loadSource({ ...record?.data.source, ...source }, record?.config.seed ?? 1))[part];
  const backend = await createBackend(name, {}, console.log);
  const answers = await (checkpoint === undefined ? answersOfModel : answersOfCheckpoint)(file, samples, backend);
  const objective = trained ? objectiveOf(trained) : objectiveFor(samples);
  const report = reportOn(samples, answers, objective);
  console.log(`${file} on ${count(samples.count)} samples (${part}): ${formatReport(objective, report)}`);
  if (report.confusion) console.log(confusionTable(report.confusion, classesOf(samples)));
  await showMistakes(mistakesOf(samples, answers, objective), samples, worst, path);
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

await runCommand(command);
