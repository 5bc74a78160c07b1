/** Before the tests inside workerd: writes the fixture models, the registry that describes them, and their edge image. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildEdge } from '../../exporter/edge/pipeline.ts';
import { writeRegistry } from '../../exporter/store/registry.ts';
import { writeFixtures } from './fixtures.ts';

/** Stands in for `worker/models.generated.ts` and `dist/edge` (see the aliases in vitest.config.ts). */
const dist = join(import.meta.dirname, '../../dist');
const fixtures = join(dist, 'fixtures');

export default async function setup(): Promise<void> {
  // Miniflare makes a folder of its own in place of missing assets, and leaves it.
  mkdirSync(join(dist, 'page'), { recursive: true });
  const folder = join(fixtures, 'models');
  writeFixtures(folder);
  const [served, outFolder] = [join(fixtures, 'served'), join(fixtures, 'edge')];
  await writeRegistry(folder, join(fixtures, 'registry.ts'), served);
  const onStage = () => undefined;
  await buildEdge({ modelsFolder: served, outFolder, stock: false, trim: false, unoptimized: true, onStage });
}
