/** ONNX models, ready to run. Written by `bn-edge build`; do not edit. */
import type { Image, ModelAbout, Session } from '../../worker/image.ts';
export type * from '../../worker/image.ts';

/** The caller's tensors do not fit the model. Its name is `FeedError`. */
export declare class FeedError extends Error {}

/** ONNX Runtime, or the allocator, refused a run with a message. The session stays usable. Its name is `InferenceError`. */
export declare class InferenceError extends Error {
  readonly outOfMemory: boolean;
}

/** Sorted by name; each model's current version comes before its others. */
export declare const models: readonly ModelAbout[];

/** Under `<path>/model`; and where the card says `"explain": true` and there is Batch Norm, also `<path>/switchable`; and `<path>/watched` of a watched model. */
export declare const sessions: ReadonlyMap<string, Session>;

/** The boolean input of every `switchable` session: true is for the statistics of the mini-batch. */
export declare const switchName: string;

/** Reads the weights of a model that keeps them elsewhere; its sessions throw before. */
export declare const load: NonNullable<Image['load']>;

declare const image: Image;
export default image;
