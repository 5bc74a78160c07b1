/** `bn-edge export --help` */
import { nativeBackend } from '../../training/backend/index.ts';
import { describeExport } from '../model/describe.ts';
import { exportModel } from '../model/export.ts';
import { describeCard } from './describe-model.ts';
import { addExportOptions, type ExportFlags, exportOptions } from './model-options.ts';
import { answers, type Subcommand } from './subcommand.ts';

export const exportCommand: Subcommand = {
  configure: (command) => {
    addExportOptions(
      command.argument('[run|checkpoint]', 'a run folder, such as runs/churn, or a safetensors file'),
    ).option('--overwrite', 'replace a model from elsewhere that has the name (default: refuse to)');
    answers<ExportFlags>(command, page, async (flags, run) => {
      const card = await exportModel(await exportOptions('export', flags, run), await nativeBackend(), console.log);
      console.log(describeExport(card, flags.models));
      console.log(
        'next            npx wrangler dev builds the image and serves it; npx wrangler deploy puts it online',
      );
      return describeCard(card);
    });
    return undefined;
  },
};

const page = {
  description:
    'Export a run as ONNX with its running statistics, verify it on the test samples, and put it into models/<name>.',
  examples: ['bn-edge export runs/churn', 'bn-edge export runs/churn --name churn-2 --statistics population'],
} as const;
