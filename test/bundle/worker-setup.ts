/** Before the tests inside workerd: writes the fixture models and the image that stands in for `.bn-edge` (see vitest.config.ts). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildEdge } from '../../exporter/edge/pipeline.ts';
import { readModels, writeRegistry } from '../../exporter/store/registry.ts';
import { switchName } from '../../exporter/served/switchable.ts';
import { writeFixtures } from './fixtures.ts';

const root = join(import.meta.dirname, '../../.test');

export default async function setup(): Promise<void> {
  // Miniflare makes a folder of its own in place of missing assets, and leaves it.
  mkdirSync(join(root, '../dist/page'), { recursive: true });
  const [models, served, out] = [join(root, 'worker-models'), join(root, 'worker-served'), join(root, 'worker-image')];
  writeFixtures(models);
  await writeRegistry(models, join(served, 'registry.ts'), served);
  await buildEdge({
    modelsFolder: served,
    outFolder: out,
    stock: false,
    trim: false,
    unoptimized: true,
    onStage: () => undefined,
  });
  const abouts = readModels(models).map(({ files: _, ...about }) => {
    const card = join(models, about.path, 'card.json');
    return { explain: false, ...about, ...(existsSync(card) && (JSON.parse(readFileSync(card, 'utf8')) as object)) };
  });
  writeFileSync(
    join(out, 'image.mjs'),
    `import { sessions as all } from './edge.mjs';
export const models = ${JSON.stringify(abouts)};
export const switchName = ${JSON.stringify(switchName)};
const twins = new Set(models.filter(({ explain }) => explain).map(({ path }) => path + '/switchable'));
export const sessions = new Map([...all].filter(([name]) => name.endsWith('/model') || twins.has(name)));
export default { models, sessions, switchName };
`,
  );
}
