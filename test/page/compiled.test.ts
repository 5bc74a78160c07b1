/** An image of compiled models gives in Chromium, bundled by Vite, the bits that the same files give in Node. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { encodeModel } from '../../training/graph/index.ts';
import { batchNorm, conv2d, dense, flatten, maxPool, relu } from '../../training/network/index.ts';
import { type Described, networkGraph } from '../unit/compile/network-graph.ts';
import { executablePath, launch, visit } from './browser.ts';

const models: Readonly<Record<string, Described>> = {
  rows: {
    inputShape: [5],
    categories: [0, 3, 0, 0, 0],
    fills: [1, 1, null, 0, 2],
    layers: [dense(16), relu(), dense(3)],
  },
  pictures: {
    inputShape: [1, 8, 8],
    layers: [conv2d(8, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2), flatten(), dense(3)],
  },
};

const answers = `
  import image from './image/image.mjs';
  const feedOf = ({ name, shape }) => {
    const sizes = shape.map((size) => (size > 0 ? size : 3));
    const count = sizes.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'float32', shape: sizes, data: Float32Array.from({ length: count }, (_, i) => (i * 7) % 3) }];
  };
  const bits = ({ data }) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];
  export const text = JSON.stringify([...image.sessions].map(([name, session]) => {
    const outputs = session.run(Object.fromEntries(session.inputs.map(feedOf)));
    return [name, Object.values(outputs).map(bits)];
  }));
`;
const page = `import { text } from './answers.mjs'; document.body.textContent = text;`;
const html =
  '<!doctype html><title>image</title><link rel="icon" href="data:"><body><script type="module" src="./page.mjs"></script>';

describe.skipIf(executablePath === undefined)('compiled models in Chromium', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bn-edge-compiled-page-'));
    for (const [name, described] of Object.entries(models)) {
      await mkdir(join(folder, 'models', name), { recursive: true });
      await writeFile(join(folder, 'models', name, 'model.onnx'), encodeModel(networkGraph(described)));
      await writeFile(join(folder, 'models', name, 'card.json'), JSON.stringify({ engine: 'compiled' }));
    }
    await buildImage({ models: join(folder, 'models'), out: join(folder, 'image') });
    const files = { 'answers.mjs': answers, 'page.mjs': page, 'index.html': html };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('give the bits that they give in Node', async () => {
    const { text } = (await import(pathToFileURL(join(folder, 'answers.mjs')).href)) as { readonly text: string };
    const config = {
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: { outDir: join(folder, 'site') },
    } as const;
    await build(config);
    const server = await preview({ ...config, preview: { port: 0, host: '127.0.0.1' } });
    const browser = await launch();
    try {
      const { page, complaints } = await visit(browser, server.resolvedUrls?.local[0] ?? '');
      await page.waitForFunction(`document.body.textContent.includes('[')`);
      expect(complaints).toEqual([]);
      expect(await page.textContent('body')).toBe(text);
      expect(JSON.parse(text)).toHaveLength(2);
    } finally {
      await browser.close();
      await server.close();
    }
  }, 120_000);

  it('need no loader of weights and nothing of ONNX Runtime', async () => {
    const module = await readFile(join(folder, 'image', 'image.mjs'), 'utf8');
    expect(module).not.toMatch(/OrtRun|WeightsError/);
  });
});
