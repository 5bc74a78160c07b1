/** The option for the folder of models. It is a module of its own for commands that need no more to begin with. */
import { type Command, Option } from 'commander';

/** Adds the option, which every command has that reads or writes models. */
export const addModelsOption = (command: Command): Command =>
  command.addOption(new Option('--models <folder>', 'where models are kept').env('MODELS_DIR').default('models'));
