/** Reads an inference request, whichever way its tensors came: as JSON, as JSON and bytes, or as bytes alone. */
import { requireJson } from '../http/body.ts';
import { parseJson } from '../http/json.ts';
import type { Model } from '../models.ts';
import { HEADER, rawRequest, splitBody } from './binary.ts';
import { inferenceRequest, parse, type InferenceRequest } from './protocol.ts';

export interface Parts {
  readonly request: InferenceRequest;
  /** Holds what followed the JSON object. */
  readonly binary: Uint8Array;
}

/** Is true when tensors follow the JSON object, or stand in its place, as bytes. */
export const isBinaryRequest = ({ headers }: Request): boolean => headers.has(HEADER);

/** @throws RequestError when the media type is another, before the body is read */
export function checkInference(request: Request): void {
  if (!isBinaryRequest(request)) requireJson(request);
}

/** @throws RequestError when the body does not match its header, or is not a request */
export function parseInference({ name, session }: Model, { headers }: Request, body: Uint8Array): Parts {
  const header = headers.get(HEADER);
  if (header === null) return { request: parse(inferenceRequest, parseJson(body)), binary: new Uint8Array() };
  const { json, binary } = splitBody(body, header);
  const isRaw = json.byteLength === 0;
  return {
    request: isRaw ? rawRequest(name, session.inputs, binary.byteLength) : parse(inferenceRequest, parseJson(json)),
    binary,
  };
}
