/** A Worker serves files that this project did not write. */
import { describe, expect, it } from 'vitest';
import iris from '../bundle/foreign/iris.json';
import { image, scores } from '../bundle/foreign/pytorch.json';
import { call, outputData, post } from './client.ts';
import { expectAllClose } from '../reference/close.ts';

const path = '/v2/models/pytorch';
const input = { name: 'image', datatype: 'FP32', shape: [2, 1, 12, 12], data: image };
/** The two runtimes round in different orders. */
const tolerance = { rtol: 1e-5, atol: 1e-6 };

describe('a file from PyTorch', () => {
  it("answers PyTorch's own scores", async () => {
    expectAllClose(
      'scores',
      outputData(await post(`${path}/infer`, { inputs: [input] }), 'scores').map(Number),
      scores,
      tolerance,
    );
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

describe.each(['iris-forest', 'iris-logistic'] as const)('a classifier of scikit-learn, %s', (name) => {
  const path = `/v2/models/${name}`;
  const body = { inputs: [{ name: 'X', datatype: 'FP32', shape: [5, 4], data: iris.irises }] };

  it("answers scikit-learn's own labels and probabilities", async () => {
    const answer = await post(`${path}/infer`, body);
    expect(outputData(answer, 'label')).toEqual(iris[name].label);
    expectAllClose(
      'probabilities',
      outputData(answer, 'probabilities').map(Number),
      iris[name].probabilities,
      tolerance,
    );
  });

  it('tells names, datatypes and shapes from the file', async () => {
    expect((await call(path)).body).toMatchObject({
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      ],
    });
  });

  it('classifies by its probabilities, under the names of a card where there is one', async () => {
    const { predictions } = (await post(`${path}/classify`, body)).body as { predictions: { label: string }[] };
    const names = name === 'iris-forest' ? ['setosa', 'versicolor', 'virginica'] : ['0', '1', '2'];
    expect(predictions.map(({ label }) => label)).toEqual(iris[name].label.map((index) => names[index]));
  });
});
