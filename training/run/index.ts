/** What the command lines of training and exporting share. */
export { addDataOptions, type DataFlags, takeDataSource } from '../../exporter/command/data-options.ts';
export { trainingDefaults } from './defaults.ts';
export { findNetwork } from './network.ts';
export { positive, wholeNumber } from './numbers.ts';
export { runCommand } from './run-command.ts';
export { count, percent } from '../../exporter/command/terminal.ts';
export { trainToFolder, type TrainOptions } from './train.ts';
