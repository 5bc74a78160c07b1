/** Builds the page into dist/page, which the package ships and a Worker serves as its static assets, at the root or under a mount. */
import { defineConfig } from 'vite';

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
  },
});
