/** What the command lines of training and exporting share. */
export { fraction, positive, wholeNumber } from './numbers.ts';
export { runCommand } from './run-command.ts';
export { count, percent } from './terminal.ts';
export { trainToFolder, type TrainOptions } from './train.ts';
