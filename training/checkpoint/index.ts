/** Trained networks in files. */
export { readSafetensors, type Tensor as StoredTensor, writeSafetensors } from './checkpoint.ts';
export { historySchema, storedEvaluation, storedHistory } from './history.ts';
export {
  loadModel,
  objectiveOf,
  pickTensor,
  saveModel,
  storedModel,
  type TrainedModel,
  withDeviations,
} from './model.ts';
export { configSchema, type DataRecord, hasLearntFromValidation, type TrainingRecord } from './record.ts';
export { describedBy, isTrainedOn, knowledgeOf } from './same-data.ts';
export { outOfFoldFile, outOfFoldOf, saveOutOfFold } from './out-of-fold.ts';
