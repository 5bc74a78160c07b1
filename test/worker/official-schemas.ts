/**
 * The JSON objects that the Open Inference Protocol's own OpenAPI document defines, transcribed member by member:
 * https://github.com/kserve/open-inference-protocol/blob/18d5991/specification/protocol/open_inference_rest.yaml
 */
import * as z from 'zod';

const ref = (name: string): object => ({ $ref: `#/$defs/${name}` });
const string = { type: 'string' };
const parameters = { type: 'object' };
const integers = { type: 'array', items: { type: 'integer' } };
const listOf = (items: object): object => ({ type: 'array', items });
const object = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  properties,
  required,
});

const $defs = {
  metadata_server_response: object(['name', 'version', 'extensions'], {
    name: string,
    version: string,
    extensions: listOf(string),
  }),
  metadata_server_error_response: object(['error'], { error: string }),
  metadata_model_response: object(['name', 'platform'], {
    name: string,
    versions: listOf(string),
    platform: string,
    inputs: listOf(ref('metadata_tensor')),
    outputs: listOf(ref('metadata_tensor')),
  }),
  metadata_tensor: object(['name', 'datatype', 'shape'], { name: string, datatype: string, shape: integers }),
  metadata_model_error_response: object(['error'], { error: string }),
  inference_request: object(['inputs'], {
    id: string,
    parameters,
    inputs: listOf(ref('request_input')),
    outputs: listOf(ref('request_output')),
  }),
  request_input: object(['name', 'shape', 'datatype', 'data'], {
    name: string,
    shape: integers,
    datatype: string,
    parameters,
    data: ref('tensor_data'),
  }),
  tensor_data: listOf({ anyOf: [ref('tensor_data'), { type: 'number' }, string, { type: 'boolean' }] }),
  request_output: object(['name'], { name: string, parameters }),
  response_output: object(['name', 'shape', 'datatype', 'data'], {
    name: string,
    shape: integers,
    datatype: string,
    parameters,
    data: ref('tensor_data'),
  }),
  inference_response: object(['model_name', 'outputs'], {
    model_name: string,
    model_version: string,
    id: string,
    parameters,
    outputs: listOf(ref('response_output')),
  }),
  inference_error_response: object([], { error: string }),
} as const;

export type OfficialName = keyof typeof $defs;

/** @throws ZodError naming the member that does not match */
export function checkOfficial(name: OfficialName, value: unknown): void {
  z.fromJSONSchema({ $defs, ...ref(name) } as Parameters<typeof z.fromJSONSchema>[0]).parse(value);
}
