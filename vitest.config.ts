import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'edge', include: ['test/edge/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      { test: { name: 'ort', include: ['test/ort/**/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
});
