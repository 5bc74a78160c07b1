/** Trained networks in files. */
export { readSafetensors, type Tensor as StoredTensor, writeSafetensors } from './checkpoint.ts';
export { historySchema, storedEvaluation, storedHistory } from './history.ts';
export {
  type DataRecord,
  loadModel,
  objectiveOf,
  parseJson,
  pickTensor,
  saveModel,
  storedRecord,
  type TrainedModel,
  type TrainingRecord,
} from './model.ts';
