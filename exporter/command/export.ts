/** The command `bn-edge export`, with its help. */
import { nativeBackend } from '../../training/backend/index.ts';
import { describeExport } from '../model/describe.ts';
import { exportModel, type ExportOptions } from '../model/export.ts';
import { describeCard } from './describe-model.ts';
import { count, unexpected } from '../../training/files/index.ts';
import { inputTypes } from '../columns/entrance.ts';
import { exportColumns } from '../columns/export.ts';
import { addExportOptions, type ExportFlags, exportOptions } from './model-options.ts';
import { requireReplaceable } from './predictions.ts';
import { stageLine } from './stage.ts';
import { hanging } from './table.ts';
import { type Answer, completeCommand, type Subcommand } from './subcommand.ts';

interface Flags extends ExportFlags {
  readonly out?: string;
}

/**
 * A word in place of an array's name: `--inputs columns` asks for a file that takes the columns of a table as they are.
 */
const COLUMNS = 'columns';

export const exportCommand: Subcommand = {
  configure: (command) => {
    addExportOptions(command.argument('[run|checkpoint]', 'a run folder, such as runs/churn, or a safetensors file'))
      .option('--overwrite', 'replace a model from elsewhere that has the name (default: refuse to)')
      .option('--out <file>', 'where the file of --inputs columns goes (default: <name>.columns.onnx)');
    const inputs = command.options.find(({ long }) => long === '--inputs');
    if (inputs) inputs.description += '; columns: write a file that takes raw columns, for any ONNX Runtime';
    completeCommand<Flags>(command, page, run);
    return undefined;
  },
};

async function run({ out, inputs, ...others }: Flags, argument: string | undefined): Promise<Answer> {
  const asColumns = inputs === COLUMNS;
  const flags = asColumns || inputs === undefined ? others : { ...others, inputs };
  const options = await exportOptions('export', flags, argument);
  if (asColumns) return writeColumns(options, out ?? `${options.name}.columns.onnx`);
  if (out !== undefined) throw unexpected('export --out', '--inputs columns beside it', 'none');
  using stage = stageLine('export');
  const card = await exportModel(options, await nativeBackend(), stage.print, stage.show);
  stage.clear();
  const next = 'next            npx wrangler dev builds the image and serves it; npx wrangler deploy puts it online';
  console.log(hanging(`${describeExport(card, flags.models)}\n${next}`));
  return describeCard(card);
}

/** Writes a file for other runtimes, apart from the models that the Worker serves. */
async function writeColumns(options: ExportOptions, file: string): Promise<Answer> {
  const level = options.reading?.interval;
  if (level !== undefined)
    throw unexpected(
      `export --${level === false ? 'no-' : ''}interval`,
      'none beside --inputs columns, whose file gives the number alone',
      String(level),
    );
  await requireReplaceable('--out', file, /bn-edge/);
  using stage = stageLine('export');
  const { columns, outputs, bytes, verification } = await exportColumns(options, file, stage.print, stage.show);
  stage.clear();
  const { rows, largestDifference } = verification;
  console.log(`${file}  ${count(bytes)} bytes, ONNX opset 20: ONNX Runtime 1.17 or newer runs it`);
  console.log(
    `inputs          ${columns.map(({ name, kind }) => `${name} (${inputTypes[kind]})`).join(', ')}; [N, 1] each`,
  );
  console.log(`outputs         ${outputs.join(', ')}`);
  console.log(`verified        on ${rows} made-up rows, largest difference ${largestDifference.toExponential(1)}`);
  return {
    file,
    bytes,
    inputs: columns.map(({ name, kind }) => ({ name, type: inputTypes[kind] })),
    outputs,
    verification,
  };
}

const page = {
  description:
    'Export a run as ONNX with its running statistics, verify it on the test samples, and put it into models/<name>.',
  examples: ['bn-edge export runs/churn', 'bn-edge export runs/churn --inputs columns --out churn.onnx'],
} as const;
