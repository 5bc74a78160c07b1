/** The command `bn-edge add`, with its help. */
import { Option } from 'commander';
import { UserError } from '../../training/files/index.ts';
import { addModel } from '../model/add.ts';
import { type BatchNormUse, batchNormUses } from '../served/normalization.ts';
import { describeAdded } from './describe-model.ts';
import { hanging } from './table.ts';
import { addModelsOption } from './models-option.ts';
import { completeCommand, type Subcommand } from './subcommand.ts';

interface Flags {
  readonly name?: string;
  readonly overwrite?: boolean;
  readonly models: string;
  readonly batchNorm?: BatchNormUse;
}

export const add: Subcommand = {
  configure: (command) => {
    // The argument is optional to Commander, so that the command itself says what to do without one.
    addModelsOption(command.usage('[options] <file>').argument('[file]', 'an ONNX file'))
      .option(
        '--name <name>',
        "the folder in models/ and the name in the URL (default: the file's, or its folder's if it is model.onnx)",
      )
      .addOption(
        new Option(
          '--batch-norm <use>',
          "of a file in training mode: inference takes its running statistics, as-is the mini-batch's",
        ).choices(batchNormUses),
      )
      .option('--overwrite', 'replace a model that has the name (default: refuse to)');
    completeCommand<Flags>(command, page, async ({ name, overwrite, models, batchNorm }, file) => {
      if (file === undefined) {
        throw new UserError('add: expected an ONNX file, such as bn-edge add model.onnx; --help lists all');
      }
      const added = await addModel({ file, models, name, overwrite, batchNorm });
      console.log(hanging(describeAdded(added, models)));
      return { ...added };
    });
    return undefined;
  },
};

const page = {
  description: 'Put an ONNX file from anywhere into models/<name>, with a card.',
  notes: `It may come from PyTorch, scikit-learn, Keras, LightGBM or anywhere else; that
it runs at the edge is checked at once.`,
  examples: ['bn-edge add model.onnx', 'bn-edge add downloads/resnet18.onnx --name flowers'],
} as const;
