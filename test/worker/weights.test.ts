/** A Worker reports weights that are not stored as in the file. */
import { describe, expect, it } from 'vitest';
import { createWorker } from '../../worker/create-worker.ts';
import { ask, imageOf } from './images.ts';

describe('a model with rounded weights', () => {
  it('says in its metadata to what, and how far its answers are from those in single precision', async () => {
    const image = imageOf({ name: 'small', kind: 'logits' }, { name: 'whole', kind: 'logits' });
    const loss = { largestDifference: 0.25, relativeDifference: 0.01, samples: 32, changedClasses: 1 };
    const models = image.models.map((model) =>
      model.name === 'small' ? { ...model, weights: { type: 'int8' as const, ...loss } } : model,
    );
    const worker = createWorker({ ...image, models });
    expect((await ask(worker, '/v2/models/small')).body).toMatchObject({
      parameters: {
        weights: {
          type: 'int8',
          largest_difference: 0.25,
          relative_difference: 0.01,
          samples: 32,
          changed_classes: 1,
        },
      },
    });
    expect((await ask(worker, '/v2/models/whole')).body).not.toHaveProperty('parameters.weights');
  });
});
