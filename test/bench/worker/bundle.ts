/** Bundles Workers of models that a bench writes, each in a folder of its own. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerSource } from '../../../exporter/command/init-monitor.ts';
import { buildImage } from '../../../exporter/edge/build-image.ts';
import { writeCustomers, writeFixtures } from '../../bundle/fixtures.ts';
import { buildBundle } from '../../bundle/workerd.ts';

const root = join(import.meta.dirname, '../../..');

const configuration = `name = "bn-edge-bench"
main = "index.ts"
compatibility_date = "2026-04-26"
minify = true
send_metrics = false
`;

const entryOf = (source: string): string => source.replace('../.bn-edge/image.mjs', './image/image.mjs');

/**
 * @param write writes the models into a folder laid out as `models/`
 * @param source the code of the Worker, by default that of `bn-edge init`
 * @returns the folder of the bundle
 */
export async function bundleOf(name: string, write: (models: string) => void, source = workerSource): Promise<string> {
  // The folder is under the root, where the bundler finds the package.
  const folder = join(root, '.test', `bench-${name}`);
  const models = join(folder, 'models');
  rmSync(models, { recursive: true, force: true });
  mkdirSync(models, { recursive: true });
  write(models);
  await buildImage({ models, out: join(folder, 'image') });
  const config = join(folder, 'wrangler.toml');
  writeFileSync(config, configuration);
  writeFileSync(join(folder, 'index.ts'), entryOf(source));
  return buildBundle(config);
}

/** Bundles both networks on MNIST, and a table. */
export const buildMixedBundle = (): Promise<string> =>
  bundleOf('mixed', (models) => {
    cpSync(join(root, 'models'), models, { recursive: true });
    writeCustomers(models);
  });

/** Bundles the models of the Worker's tests, which the broken requests are made for. */
export const buildFixturesBundle = (): Promise<string> => bundleOf('fixtures', writeFixtures);
