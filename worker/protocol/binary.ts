/**
 * Implements Triton's binary tensor extension: tensors as bytes after the JSON object instead of numbers inside it.
 * https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_binary_data.md
 */
import { elementCount } from '../../training/arrays/index.ts';
import { answerBytes } from '../http/answers.ts';
import { concatenate } from '../http/bytes.ts';
import { datatypes, type TensorInfo } from './datatypes.ts';
import { RequestError } from '../errors.ts';
import type { InferenceRequest, RequestInput, RequestOutput } from './protocol.ts';
import type { InferenceResponse } from './responses.ts';

/** Names the header that holds how many bytes of the body are JSON. */
export const HEADER = 'inference-header-content-length';

export interface SplitBody {
  readonly json: Uint8Array;
  readonly binary: Uint8Array;
}

/** @throws RequestError when the header's value is not a length within the body */
export function splitBody(body: Uint8Array, header: string): SplitBody {
  const length = /^\d{1,15}$/.test(header) ? Number(header) : NaN;
  if (length <= body.byteLength) return { json: body.subarray(0, length), binary: body.subarray(length) };
  throw new RequestError(
    'malformed',
    `${HEADER}: expected at most the body's ${body.byteLength} bytes, got another value`,
  );
}

/**
 * Returns the bytes of every input that gives their number, in the order of the inputs.
 * @throws RequestError when the numbers do not add up to the bytes that came
 */
export function sliceInputs(inputs: readonly RequestInput[], binary: Uint8Array): (Uint8Array | undefined)[] {
  let end = 0;
  const slices = inputs.map(({ parameters }) => {
    const size = parameters?.binary_data_size;
    if (size === undefined) return undefined;
    end += size;
    return binary.subarray(end - size, end);
  });
  if (end === binary.byteLength) return slices;
  throw new RequestError('malformed', `binary_data_size: expected ${binary.byteLength} bytes in all, got ${end}`);
}

/**
 * Builds the request that a body without JSON stands for: the model's only input, whose one open dimension follows from
 * the number of bytes, and outputs in binary as well.
 * @throws RequestError when the model has several inputs or open dimensions, or the bytes do not fill a shape
 */
export function rawRequest(model: string, inputs: readonly TensorInfo[], bytes: number): InferenceRequest {
  const [input] = inputs;
  const open = input?.shape.filter((size) => size === -1).length ?? 0;
  if (!input || inputs.length > 1 || open > 1 || input.anyShape) {
    throw new RequestError('malformed', `${HEADER}: expected JSON, because ${model} has not one input of known shape`);
  }
  const { name, datatype, shape } = input;
  const whole = datatypes[datatype].bytes * elementCount(shape.map(Math.abs));
  const size = bytes / whole;
  if (!Number.isInteger(size) || size === 0 || (open === 0 && size !== 1)) {
    throw new RequestError('malformed', `body: expected a multiple of ${whole} bytes, got ${bytes}`);
  }
  return {
    parameters: { binary_data_output: true },
    inputs: [
      { name, datatype, shape: shape.map((n) => (n === -1 ? size : n)), parameters: { binary_data_size: bytes } },
    ],
  };
}

/** Is true when an output is sent as bytes: as the output's parameters say, or else the request's. */
export function isBinary({ parameters }: InferenceRequest, output: RequestOutput | undefined): boolean {
  return output?.parameters?.binary_data ?? parameters?.binary_data_output ?? false;
}

/** Joins the JSON object and the bytes of the outputs that have no `data` in it, in its order. */
export function joinBody(response: InferenceResponse, binary: readonly Uint8Array[]): Response {
  const json = new TextEncoder().encode(JSON.stringify(response));
  const headers = { 'content-type': 'application/octet-stream', [HEADER]: String(json.byteLength) };
  return answerBytes(concatenate([json, ...binary]), headers);
}
