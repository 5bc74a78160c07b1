/**
 * Checks the feeds and the requested outputs of a run against the session's ports before anything enters WebAssembly.
 */

import { checkTensor, refuse } from './tensor.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

export interface CheckedFeed<V extends ValueInfo> {
  readonly value: V;
  readonly tensor: Tensor;
}

/**
 * @returns a tensor for each input, in their order
 * @throws FeedError if a feed is missing, unknown or not what the model takes
 */
export function checkFeeds<V extends ValueInfo>(
  session: string,
  inputs: readonly V[],
  feeds: Readonly<Record<string, Tensor>>,
): readonly CheckedFeed<V>[] {
  const unknown = Object.keys(feeds).find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) refuse(session, names(inputs), unknown);
  return inputs.map((value) => {
    const where = `${session} input ${value.name}`;
    const tensor = Object.hasOwn(feeds, value.name) ? feeds[value.name] : undefined;
    if (!tensor) return refuse(where, 'a tensor', 'none');
    checkTensor(where, value, tensor);
    return { value, tensor };
  });
}

/**
 * @returns the outputs with these names, all by default
 * @throws FeedError if no output has such a name
 */
export function outputsAsked<V extends ValueInfo>(
  session: string,
  outputs: readonly V[],
  asked: readonly string[] | undefined,
): readonly V[] {
  if (!asked) return outputs;
  return asked.map((name) => {
    const found = outputs.find((output) => output.name === name);
    return found ?? refuse(session, `an output of ${names(outputs)}`, name);
  });
}

const names = (values: readonly ValueInfo[]): string => values.map((value) => value.name).join(', ');
