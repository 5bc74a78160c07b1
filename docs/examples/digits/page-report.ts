/**
 * Lays the report of the experiments beside the page, to be served at `/report/`. Wrangler runs this after the page has been
 * built.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

cpSync(join(root, 'docs/experiments/results'), join(root, 'dist/page/report'), { recursive: true });
