/** The folder of models, for commands that need no more of it than its name to begin with. */
import { type Command, Option } from 'commander';

/** Where models are kept, for every command that reads or writes them. */
export const addModelsOption = (command: Command): Command =>
  command.addOption(new Option('--models <folder>', 'where models are kept').env('MODELS_DIR').default('models'));
