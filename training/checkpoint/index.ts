/** Trained networks in files. */
export { readSafetensors, type Tensor as StoredTensor, writeSafetensors } from './checkpoint.ts';
export { withDeviations } from './former-scaling.ts';
export { historySchema, storedEvaluation, storedHistory } from './history.ts';
export { loadModel, objectiveOf, pickTensor, saveModel, storedModel, type TrainedModel } from './model.ts';
export { configSchema, type DataRecord, type TrainingRecord } from './record.ts';
export { describedBy, isTrainedOn, knowledgeOf } from './same-data.ts';
export { hasLearntFromValidation } from './learnt-from.ts';
export { outOfFoldFile, outOfFoldOf, saveOutOfFold } from './out-of-fold.ts';
