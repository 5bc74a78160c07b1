import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Written by the worker project's globalSetup, in place of `worker/models.generated.ts`. */
const fixtureRegistry = new URL('dist/fixtures/registry.ts', import.meta.url).pathname;

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'ort', include: ['test/ort/**/*.test.ts'], testTimeout: 60_000 } },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        resolve: { alias: [{ find: /.*\/models\.generated\.ts$/, replacement: fixtureRegistry }] },
        test: {
          name: 'worker',
          isolate: false,
          include: ['test/worker/**/*.test.ts'],
          globalSetup: ['test/bundle/worker-setup.ts'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'bundle', include: ['test/bundle/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
});
