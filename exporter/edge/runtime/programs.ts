/** What an image is bundled with whose models are all compiled: nothing of ONNX Runtime. */

export { InferenceError } from './ort.ts';
export { programsOf } from './program.ts';
export { FeedError } from './tensor.ts';
