/** Exports every claim about Batch Norm as an experiment, and the report of what they measured. */
export { chooseExperiments, experiments } from './claims/index.ts';
export { runInProcesses } from './processes.ts';
export { runExperiment, saveRecord } from './run.ts';
export { writeReport } from './report/page.ts';
export { showProgress } from './terminal.ts';
