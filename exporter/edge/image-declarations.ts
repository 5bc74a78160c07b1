/** ONNX models, ready to run. Written by `bn-edge build`; do not edit. */
import type { Image, ModelAbout, Session } from '../../worker/image.ts';
export type * from '../../worker/image.ts';

/** Thrown if the caller's tensors do not fit the model. Its name is `FeedError`. */
export declare class FeedError extends Error {}

/**
 * Thrown if ONNX Runtime or the allocator refused a run with a message. The session stays usable. Its name is
 * `InferenceError`.
 */
export declare class InferenceError extends Error {
  readonly outOfMemory: boolean;
}

/** Lists the models, sorted by name; each model's current version comes before its others. */
export declare const models: readonly ModelAbout[];

/**
 * Maps names to sessions: `<path>/model` for every model; `<path>/switchable` if its card says `"explain": true` and it
 * has Batch Norm; `<path>/watched` if it is watched.
 */
export declare const sessions: ReadonlyMap<string, Session>;

/** Names the boolean input of every `switchable` session: true selects the statistics of the mini-batch. */
export declare const switchName: string;

/** Reads the weights of a model that keeps them in static assets. Its sessions throw until then. */
export declare const load: NonNullable<Image['load']>;

declare const image: Image;
export default image;
