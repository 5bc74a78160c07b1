/**
 * Runs before the tests inside workerd: writes the fixture models, and the image of them that the Worker under test
 * serves.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { writeFixtures } from './fixtures.ts';

const root = join(import.meta.dirname, '../..');
const generated = join(root, '.test');

export default async function setup(): Promise<void> {
  // Where the assets are missing, Miniflare would make a folder in their place and leave it there.
  mkdirSync(join(root, 'dist/page'), { recursive: true });
  const models = join(generated, 'worker-models');
  writeFixtures(models);
  await buildImage({ models, out: join(generated, 'worker-image'), unoptimized: true });
}
