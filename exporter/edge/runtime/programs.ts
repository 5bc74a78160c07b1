/** The entry of the bundle for an image whose models are all compiled: it has nothing of ONNX Runtime. */

export { InferenceError } from './ort.ts';
export { programsOf } from './program.ts';
export { FeedError } from './tensor.ts';
