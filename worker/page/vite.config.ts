/**
 * Builds the pages into dist/page. The package ships them, and a Worker serves them as its static assets, at the root
 * or under a mount.
 */
import { defineConfig } from 'vite';

const root = import.meta.dirname;

export default defineConfig({
  // All addresses are relative: the page may lie under any path.
  base: './',
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2023',
    // The style sheet uses light-dark(), which the minifier would otherwise rewrite for old browsers.
    cssTarget: 'esnext',
    // The content security policy of public/_headers allows no data: URLs but images, and no inline script.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: { index: `${root}/index.html`, train: `${root}/train/index.html` },
    },
  },
  resolve: {
    alias: [
      // The visitor's own table is read by a parser without streams.
      { find: /^csv-parse$/, replacement: `${root}/train/engine/own/csv-parse.ts` },
      { find: /^\.\/in-place\/in-place-stepper\.ts$/, replacement: `${root}/train/engine/no-in-place.ts` },
      { find: /^\.\/start-thread\.ts$/, replacement: `${root}/train/engine/no-thread.ts` },
    ],
  },
  worker: {
    format: 'es',
    rolldownOptions: {
      checks: { bundlerTimings: false },
      // Modules of Node and runtimes: no code that trains in the page asks for them, and a test fails if any does.
      external: [/^node:/, 'stream', /^onnxruntime-/, 'binaryen', 'esbuild', 'sharp'],
      // These files lie beside the training page, whose files alone may compile WebAssembly: see public/_headers.
      output: { entryFileNames: 'train/engine-[hash].js', chunkFileNames: 'train/[name]-[hash].js' },
    },
  },
});
