/** Before the tests inside workerd: writes the fixture models and the registry that imports them. */
import { join } from 'node:path';
import { writeRegistry } from '../../exporter/registry.ts';
import { writeFixtures } from './fixtures.ts';

/** Stands in for `worker/models.generated.ts` (see the alias in vitest.config.ts). */
const fixtures = join(import.meta.dirname, '../../dist/fixtures');

export default async function setup(): Promise<void> {
  const folder = join(fixtures, 'models');
  writeFixtures(folder);
  await writeRegistry(folder, join(fixtures, 'registry.ts'), join(fixtures, 'served'));
}
