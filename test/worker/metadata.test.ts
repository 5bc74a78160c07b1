import { describe, expect, it } from 'vitest';
import { call } from './client.ts';

const digits = {
  name: 'digits',
  versions: ['3'],
  platform: 'onnx_onnxv1',
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 1, 28, 28] }],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10] }],
  parameters: {
    description: 'a fixture',
    labels: ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'],
  },
};

const answers: [path: string, body: unknown][] = [
  ['/v2', { name: 'bn-edge', version: '0.1.0', extensions: ['binary_tensor_data'] }],
  ['/v2/', { name: 'bn-edge', version: '0.1.0', extensions: ['binary_tensor_data'] }],
  ['/v2/health/live', { live: true }],
  ['/v2/health/ready', { live: true, ready: true }],
  ['/v2/models/digits', digits],
  ['/v2/models/digits/versions/3', digits],
  ['/v2/models/digits/ready', { name: 'digits', ready: true }],
  ['/v2/models/digits/versions/3/ready', { name: 'digits', ready: true }],
];

describe('health and metadata', () => {
  it.each(answers)('answers GET %s', async (path, body) => {
    const answer = await call(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.body).toEqual(body);
  });

  it('answers the datatypes that a model without card declares', async () => {
    const { body } = await call('/v2/models/identity');
    expect(body).toMatchObject({
      versions: ['1'],
      inputs: [
        { datatype: 'BOOL' },
        { datatype: 'UINT8' },
        { datatype: 'INT64' },
        { datatype: 'FP16' },
        { datatype: 'FP64' },
      ],
      parameters: {},
    });
  });
});
