/** A Worker without models stays small: `createWorker` and all its features, bundled as by Wrangler. */
import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

/** 67.7 kB before rows by name, which may take 12 kB, and before the routes of drift, which may take 1.6 kB. */
const MAX_BYTES = 81_300;

it('is at most 81.3 kB, gzipped', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: "export { createWorker } from './worker/create-worker.ts';", resolveDir: '.' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker'],
  });
  const inputs = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {});
  const largest = inputs.toSorted(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput).slice(0, 12);
  const size = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
  expect(size, largest.map(([path, { bytesInOutput }]) => `${bytesInOutput} ${path}`).join('\n')).toBeLessThan(
    MAX_BYTES,
  );
  expect(size).toBeGreaterThan(MAX_BYTES / 2);
});
