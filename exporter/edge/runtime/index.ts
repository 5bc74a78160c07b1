/** What the bundles are made of: the Worker's takes `loadImage` or `loadStock` only, the build's takes everything. */

export { createAll, loadStock } from './stock.ts';
export type { Created, Models } from './stock.ts';
export { capMemory, Heap, memoryCapPages, pageBytes, pagesOf } from './heap.ts';
export type { InstanceLike, OrtModule, Pointer } from './glue.ts';
export { loadImage } from './image.ts';
export type { ImageManifest } from './image.ts';
export { InferenceError } from './ort.ts';
export type { OrtInstance, SessionRecord } from './ort.ts';
export { Session } from './session.ts';
export type { Tensors } from './session.ts';
export { codeOf, createData, elementBytes, elementCount, FeedError, isFree } from './tensor.ts';
export type { DType, Tensor, TensorData, ValueInfo } from './tensor.ts';
export { warmUp } from './warm-up.ts';
