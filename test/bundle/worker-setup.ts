/** Before the tests inside workerd: writes the fixture models and the registry that imports them. */
import { join } from 'node:path';
import { writeRegistry } from '../../exporter/registry.ts';
import { writeFixtures } from './fixtures.ts';

/** Stands in for `worker/models.generated.ts` (see the alias in vitest.config.ts). */
const fixtureRegistry = join(import.meta.dirname, '../../dist/fixtures/registry.ts');

export default function setup(): void {
  const folder = join(fixtureRegistry, '../models');
  writeFixtures(folder);
  writeRegistry(folder, fixtureRegistry);
}
