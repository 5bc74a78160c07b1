/** `npm run export -- --help` */
import { nativeBackend } from '../../training/backend/index.ts';
import { runCommand } from './run-command.ts';
import { exportCommand, type ExportFlags, exportOptions } from './command.ts';
import { describeExport } from '../model/describe.ts';
import { exportModel } from '../model/export.ts';

const command = exportCommand('export')
  .description('Export a checkpoint as ONNX, verify it on the test set, and put it where the Worker finds it.')
  .action(async (flags: ExportFlags) => {
    const card = await exportModel(await exportOptions(flags), await nativeBackend());
    console.log(describeExport(card, flags.models));
  });

await runCommand(command);
