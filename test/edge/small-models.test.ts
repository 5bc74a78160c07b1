/** Models alone in an image that would fit a thousand times into the memory with which the runtime starts. */

import { describe, expect, it } from 'vitest';

import { sessionOf } from '../../exporter/edge/cases/cases.ts';
import { makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import { elementCount } from '../../exporter/edge/runtime/tensor.ts';
import { describeDifference } from '../../exporter/edge/cases/verify.ts';
import { loneBatchNorm, table } from './fixtures.ts';
import { ingredientsOf, startImage, startReference } from './subjects.ts';

const models = { table: table(), 'lone-batch-norm': loneBatchNorm() };

describe.each(Object.entries(models))('an image of the model %s alone', async (name, model) => {
  const image = await startImage(await makeImage(await ingredientsOf({ [name]: model })));
  const session = sessionOf(image, name);
  const feeds = (rows: number) => makeFeeds(image.runtime, session.inputs, { all: rows }, 'unit');

  it.each([1, 300, 4096, 100_000])('answers %i rows as stock does', async (rows) => {
    const expected = sessionOf(await startReference({ [name]: model }), name).run(feeds(rows));
    expect(describeDifference(expected, session.run(feeds(rows)))).toBeUndefined();
  });

  it.each([
    ['inputs do not fit', 26_000_000],
    ['inputs fit and what is computed of them does not', 12_500_000],
  ])('refuses a batch whose %s, and answers the next one', (_, numbers) => {
    const before = session.run(feeds(2));
    const columns = Number(session.inputs[0]?.shape[1]);
    const shape = [Math.floor(numbers / columns), columns];
    const features = { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) } as const;
    expect(() => session.run({ features })).toThrow(
      expect.objectContaining({ name: 'InferenceError', outOfMemory: true }) as Error,
    );
    expect(describeDifference(before, session.run(feeds(2)))).toBeUndefined();
  });
});
