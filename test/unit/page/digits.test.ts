import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pageDigits } from '../../../docs/examples/digits/page-digits.ts';

it('the digits shipped with the page are those that the script picks from MNIST', async () => {
  const shipped = gunzipSync(
    readFileSync(join(import.meta.dirname, '../../../worker/page/inputs/pictures/digits.bin.gz')),
  );
  expect(shipped.equals(await pageDigits())).toBe(true);
});
