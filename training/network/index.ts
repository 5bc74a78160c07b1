/** Networks: layers as data, their tensors, and their forward pass as graph nodes. */
export { type NetworkName, networks } from './catalogue.ts';
export { denseNetwork, imageNetwork, membersNetwork, type Units } from './default.ts';
export { encodedShape } from './row.ts';
export { emitForward } from './forward.ts';
export * from './layer.ts';
export { defaultBins } from './layer-defaults.ts';
export {
  dataTensorsOf,
  layersOf,
  layerTensorsOf,
  outputShapeOf,
  type Plan,
  type PlannedLayer,
  planNetwork,
  tensorsOf,
} from './plan.ts';
export {
  binCount,
  type InputNormalization,
  type Layer,
  type LayerKind,
  type LayerOf,
  type Network,
  networkSchema,
  parseNetwork,
} from './schema.ts';
export { type BatchStatistics, isTrained, type Mode, type TensorSpec } from './rule.ts';
