import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pageDigits, trainingDigits } from '../../../docs/examples/digits/page-digits.ts';
import { digitsOf } from '../../../worker/page/train/engine/digits/digits.ts';

it('the digits shipped with the page are those that the script picks from MNIST', async () => {
  const shipped = gunzipSync(
    readFileSync(join(import.meta.dirname, '../../../worker/page/inputs/pictures/digits.bin.gz')),
  );
  expect(shipped.equals(await pageDigits())).toBe(true);
});

it('the digits to train with are the first of MNIST, each with its label', async () => {
  const shipped = gunzipSync(
    readFileSync(join(import.meta.dirname, '../../../worker/page/train/engine/digits/mnist.bin.gz')),
  );
  expect(shipped.equals(await trainingDigits())).toBe(true);
  const { train, validation } = digitsOf(shipped);
  expect([train.count, validation.count]).toEqual([2560, 512]);
  // MNIST's own files begin with 5, 0, 4, 1, 9 and 7, 2, 1, 0, 4.
  expect([...train.labels.subarray(0, 5), ...validation.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9, 7, 2, 1, 0, 4]);
  expect(() => digitsOf(shipped.subarray(1))).toThrow('expected 2411520 bytes, got 2411519');
});
