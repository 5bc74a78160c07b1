import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Some tests load ONNX Runtime by themselves, which would report to its makers (see training/backend/import-native.ts).
process.env['ORT_DISABLE_TELEMETRY'] = '1';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Projects with the longest files come first, so that no core waits for a file that was begun last; those with many short ones fill up. */
const projectOrder = ['webgpu', 'package', 'release', 'bundle', 'edge', 'ort', 'hostile', 'worker', 'unit', 'page'];

class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ project }: TestSpecification): number =>
      100 * project.config.sequence.groupOrder + projectOrder.indexOf(project.name);
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

/** `npm run test:quick` leaves out the longest files of the unit tests. */
const slow =
  process.env['npm_lifecycle_event'] === 'test:quick'
    ? [
        'backend/staged',
        'compile/static',
        'compile/threads',
        'docs/additions',
        'mutation-run',
        'worker/rows-as-trained',
      ]
    : [];

export default defineConfig({
  test: {
    // `--sequence.shuffle` takes the files in random order too, which a sequencer of our own would prevent.
    sequence: process.argv.some((argument) => argument.startsWith('--sequence.shuffle'))
      ? {}
      : { sequencer: LongFilesFirst },
    // Many tests wait for processes of their own, so that two files at once pay on two cores, where one is usual.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      // Files share processes, since loading the same modules for each takes a third of the time.
      {
        test: {
          name: 'unit',
          isolate: false,
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/hostile/**', ...slow.map((file) => `test/unit/${file}.test.ts`)],
          testTimeout: 60_000,
        },
      },
      // Some measure how far a process's memory rises, which no file before may have raised.
      { test: { name: 'hostile', include: ['test/unit/hostile/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'edge', include: ['test/edge/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      { test: { name: 'ort', include: ['test/ort/**/*.test.ts'], testTimeout: 60_000 } },
      // The first run of a graph compiles its shaders, which takes a software adapter half a minute.
      { test: { name: 'webgpu', include: ['test/webgpu/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 60_000 } },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            main: './test/worker/main.ts',
            miniflare: {
              durableObjects: { DRIFT: { className: 'DriftMonitor', useSQLite: true } },
              bindings: { DOCS: true, LOG_REQUESTS: false },
              dataBlobBindings: { IMAGE_WASM: here('.test/worker-image/image.wasm') },
            },
          }),
        ],
        resolve: {
          alias: [
            { find: './image.wasm', replacement: here('test/worker/image-wasm.ts') },
            // Written by the globalSetup, with the fixture models in place of those of models/.
            { find: /.*\/\.bn-edge\/image\.mjs$/, replacement: here('.test/worker-image/image.mjs') },
            { find: 'bn-edge/worker', replacement: here('worker/create-worker.ts') },
          ],
        },
        test: {
          name: 'worker',
          isolate: false,
          include: ['test/worker/**/*.test.ts'],
          globalSetup: ['test/bundle/worker-setup.ts'],
          testTimeout: 60_000,
        },
      },
      // The first build of the Worker specialises the runtime.
      { test: { name: 'bundle', include: ['test/bundle/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 300_000 } },
      {
        test: {
          name: 'release',
          include: ['test/release/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/install.ts'],
          testTimeout: 900_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          // After the others: it serves the models of models/, for which the builds of other tests would swap theirs.
          sequence: { groupOrder: 1 },
          expect: { poll: { timeout: 20_000 } },
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
