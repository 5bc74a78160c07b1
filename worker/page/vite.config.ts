/** Builds the page into dist/page, from where the Worker's static assets are served. */
import { defineConfig } from 'vite';

export default defineConfig({
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
