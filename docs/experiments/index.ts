/** Exports every claim about Batch Norm as an experiment, and the report of what they measured. */
export { experiments } from './claims/index.ts';
export { chooseExperiments } from './choose.ts';
export { type Description, type Experiment, type Finding } from './experiment.ts';
export { type AskServed, type LabOptions } from './lab/lab.ts';
export { type Job, runInProcesses } from './processes.ts';
export { loadRecord, type Recorded, runExperiment, saveRecord } from './run.ts';
export { writeReport } from './report/write.ts';
export { showProgress } from './terminal.ts';
