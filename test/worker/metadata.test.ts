import { describe, expect, it } from 'vitest';
import { version } from '../../worker/version.ts';
import { call, outputData, pixels, post } from './client.ts';

const digits = {
  name: 'digits',
  versions: ['3', '2'],
  platform: 'onnx_onnxv1',
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 1, 28, 28] }],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10] }],
  parameters: {
    description: 'a fixture',
    labels: ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'],
    output: { name: 'logits', kind: 'logits' },
    picture: { rows: 28, columns: 28, channels: 1, drawing: true },
    explain: true,
  },
};

const extensions = ['binary_tensor_data', 'classification', 'model_configuration', 'statistics'];

const answers: [path: string, body: unknown][] = [
  ['/v2', { name: 'bn-edge', version, extensions, docs: '/docs' }],
  ['/v2/', { name: 'bn-edge', version, extensions, docs: '/docs' }],
  ['/v2/health/live', { live: true }],
  ['/v2/health/ready', { live: true, ready: true }],
  ['/v2/models/digits', digits],
  ['/v2/models/digits/versions/3', digits],
  [
    '/v2/models/digits/versions/2',
    { ...digits, parameters: { ...digits.parameters, description: 'the fixture before' } },
  ],
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

  it('answers with two versions side by side, and with the current one where none is named', async () => {
    const request = { inputs: [pixels(1)] };
    const logits = async (path: string) => outputData(await post(`/v2/models/digits${path}/infer`, request), 'logits');
    const [current, third, second] = [await logits(''), await logits('/versions/3'), await logits('/versions/2')];
    expect(current).toEqual(third);
    expect(second).not.toEqual(third);
  });

  it('names the versions that are served where another is asked for', async () => {
    const { status, body } = await call('/v2/models/digits/versions/1');
    expect([status, body]).toEqual([404, { error: 'version of digits: expected 3 or 2, got "1"' }]);
  });
});
