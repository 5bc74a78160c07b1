/** The entry of the bundles: that of a Worker takes from it what it deploys, that of the build takes everything. */

export { bind } from './binding.ts';
export { startStock } from './stock.ts';
export type { Models, Shapeless } from './stock.ts';
export { loaderOf } from './late.ts';
export type { LateWeights, WeightPart } from './late.ts';
export { capMemory, Heap, memoryCapPages, pageBytes, pagesOf } from './heap.ts';
export { startGlue } from './glue.ts';
export type { InstanceLike, OrtModule, Pointer } from './glue.ts';
export { startImage } from './image.ts';
export type { ImageManifest } from './image.ts';
export { instantiate } from './instantiate.ts';
export { Link, linkedExports } from './link.ts';
export type { LinkNames, RunModule } from './link.ts';
export { check, checkPointer, InferenceError } from './ort.ts';
export type { OrtInstance, SessionRecord, Started } from './ort.ts';
export { ProgramSession, programsOf } from './program.ts';
export type { ProgramRecord } from './program.ts';
export { Session, sessionsOf, warmUp } from './session.ts';
export type { Tensors } from './session.ts';
export { bytesOf, codeOf, createData, elementBytes, FeedError, isFree } from './tensor.ts';
export type { DType, Tensor, TensorData, ValueInfo } from './tensor.ts';
