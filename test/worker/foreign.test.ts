/** A file that PyTorch wrote, served without a card. */
import { describe, expect, it } from 'vitest';
import { image, scores } from '../bundle/foreign/pytorch.json';
import { call, outputData, post } from './client.ts';

const path = '/v2/models/pytorch';
const input = { name: 'image', datatype: 'FP32', shape: [2, 1, 12, 12], data: image };
/** Both runtimes round in another order. */
const tolerance = 1e-5;

describe('a file from PyTorch', () => {
  it("answers PyTorch's own scores", async () => {
    const answer = outputData(await post(`${path}/infer`, { inputs: [input] }), 'scores').map(Number);
    expect(answer).toHaveLength(scores.length);
    scores.forEach((expected, i) => {
      const error = Math.abs((answer[i] ?? NaN) - expected);
      expect(error, `scores[${i}]: expected ${expected}, got ${answer[i]}, error ${error}`).toBeLessThanOrEqual(
        tolerance,
      );
    });
  });

  it('tells names, datatypes and shapes from the file', async () => {
    expect((await call(path)).body).toMatchObject({
      versions: ['1'],
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, 12, 12] }],
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 3] }],
    });
  });

  it('shows its Batch Norm layers, and switches them to the statistics of the mini-batch', async () => {
    const { body } = await call(`${path}/batchnorm`);
    expect(body).toMatchObject({ layers: [{ channels: 4 }, { channels: 6 }] });
    const batch = await post(`${path}/infer`, { parameters: { statistics: 'batch' }, inputs: [input] });
    expect(batch.status).toBe(200);
    expect(outputData(batch, 'scores')).not.toEqual(scores);
  });
});
