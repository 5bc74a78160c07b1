/** A file that normalizes with the mini-batch's own statistics is never reported as using running statistics. */
import { describe, expect, it } from 'vitest';
import { createWorker } from '../../worker/create-worker.ts';
import { ask, imageOf, layer, samples } from './images.ts';

const remarks = ['1 of 2 Batch Norm layers normalize with the mini-batch: bn1 (training_mode 1)'];
const model = {
  name: 'own',
  kind: 'logits',
  ofBatch: { layers: ['bn1'], of: 2 },
  remarks,
  batchNorm: [layer],
} as const;
const worker = createWorker(imageOf(model), { explain: true });
const post = (path: string, more: object = {}) => ask(worker, `/v2/models/own${path}`, samples([[1, 2], [3, 4]], more)); // oxfmt-ignore

const note =
  "1 of the file's 2 Batch Norm layers normalized with the mean and variance of these 2 samples, as in training: each answer depends on the other samples and changes when they do.";

describe('a model that is served as it is', () => {
  it('says so in its metadata, and beside its layers', async () => {
    expect((await ask(worker, '/v2/models/own')).body).toMatchObject({ parameters: { statistics: 'batch', remarks } });
    expect((await ask(worker, '/v2/models/own/batchnorm')).body).toMatchObject({ remarks });
  });

  it('answers with the statistics of the mini-batch, and says so', async () => {
    expect(await post('/infer')).toMatchObject({ status: 200, body: { parameters: { statistics: 'batch', note } } });
    expect(await post('/classify')).toMatchObject({ status: 200, body: { statistics: 'batch', note } });
    const asked = await post('/infer', { parameters: { statistics: 'batch' } });
    expect(asked).toMatchObject({ status: 200, body: { parameters: { statistics: 'batch', note } } });
  });

  it('needs no Worker that explains for what it does by itself', async () => {
    const plain = createWorker(imageOf(model));
    const request = samples([[1, 2]], { parameters: { statistics: 'batch' } });
    expect(await ask(plain, '/v2/models/own/infer', request)).toMatchObject({ status: 200 });
  });

  it('refuses running statistics, which it does not have', async () => {
    expect(await post('/infer', { parameters: { statistics: 'running' } })).toMatchObject({
      status: 400,
      body: { error: 'statistics: expected "batch" for own, got "running": its layers bn1 have no others' },
    });
  });
});
