/** Exports every claim about Batch Norm as an experiment, and the report of what they measured. */
export { experiments } from './claims/index.ts';
export { chooseExperiments } from './choose.ts';
export { runInProcesses } from './processes.ts';
export { runExperiment, saveRecord } from './run.ts';
export { writeReport } from './report/write.ts';
export { showProgress } from './terminal.ts';
