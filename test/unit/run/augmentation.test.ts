/** The augmentation is chosen to suit the data. */
import { expect, it } from 'vitest';
import type { Dataset, LoadedData } from '../../../training/data/index.ts';
import { type PicturePreparation, plainPreparation } from '../../../training/pictures/index.ts';
import { chooseAugmentation } from '../../../training/run/settings.ts';

const part: Dataset = {
  task: 'classification',
  inputs: new Uint8Array(784),
  inputShape: [1, 28, 28],
  count: 1,
  labels: Int32Array.of(0),
  classes: ['a'],
};
const plain = plainPreparation({ rows: 28, columns: 28 }, 1);
const of = (picture: PicturePreparation, dataset = part): LoadedData => ({
  train: dataset,
  validation: dataset,
  test: dataset,
  columns: null,
  picture,
});

it('mirrors pictures, but no drawings', () => {
  const drawings = of({ ...plain, drawing: true });
  expect(chooseAugmentation('all', of(plain))).toEqual({ flip: true, shift: 0.125, crop: 0.8, rotate: 10 });
  expect(chooseAugmentation('all', drawings)).toEqual({ shift: 0.125, crop: 0.8, rotate: 10 });
  expect(chooseAugmentation({ rotate: 3 }, drawings)).toEqual({ rotate: 3 });
  expect(() => chooseAugmentation({ flip: true }, drawings)).toThrow(/^--augment: expected no flip, .* got flip$/);
});

it('is for pictures alone', () => {
  const rows = of(plain, { ...part, inputShape: [784] });
  expect(() => chooseAugmentation('all', rows)).toThrow('--augment: expected pictures to change, got samples [784]');
});
