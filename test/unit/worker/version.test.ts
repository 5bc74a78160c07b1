import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { version } from '../../../worker/version.ts';

it("reports the package's version, which package.json alone decides", () => {
  const file = join(import.meta.dirname, '../../../package.json');
  const { version: expected } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  expect(version).toBe(expected);
});
