/**
 * Serves the digits with everything there is to see: the page, the report of the experiments, the reference, and both
 * statistics.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage } from 'bn-edge';
import { type Server, serveLocally } from '../../../exporter/command/serve.ts';
import { UserError } from '../../../training/files/index.ts';

const out = '.bn-edge';

/**
 * @param port the first port to try
 * @param onStage is called with the stage under way
 */
export async function serveDigits(
  port: number,
  onStage: (stage: string, model?: string) => void = () => undefined,
): Promise<Server> {
  // This is the code that Wrangler's build runs, which then finds the image up to date.
  await buildImage({
    models: 'models',
    out,
    onStage: (stage, model) => {
      onStage(`image: ${stage}`, model);
    },
  });
  onStage('Worker: start wrangler dev');
  const assets = await assembleSite(join(out, 'site'));
  return serveLocally(port, { assets, vars: { PAGE: 'true', DOCS: 'true', EXPLAIN: 'true' } });
}

/** Leads from the page to the report. */
const more =
  '<p>Does it hold? <a href="report/">Eleven claims about Batch Norm, measured</a>, with figures and all numbers. Test digits: MNIST.</p>';

/** Leads back from the report, which lies below the page here; a report that is opened as a file has no page. */
const back =
  '<p class="back">Back to <a href="../">the page</a>, or <a href="../train/">train two networks</a> and see it come about.</p>';

/**
 * Copies the page, and the report to `/report/`, and adds links from each to the other.
 * @throws UserError when the page has not been built
 */
async function assembleSite(folder: string): Promise<string> {
  const page = join('dist', 'page');
  if (!existsSync(page)) throw new UserError(`${page}: expected the page, got none; npm run build makes it`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(page, folder, { recursive: true });
  await cp(join('docs', 'experiments', 'results'), join(folder, 'report'), { recursive: true });
  await insert(join(folder, 'index.html'), '<!-- more -->', more);
  await insert(join(folder, 'report', 'index.html'), '<!-- back -->', back);
  return folder;
}

/** Replaces a comment in a page. */
async function insert(path: string, comment: string, html: string): Promise<void> {
  const page = await readFile(path, 'utf8');
  if (!page.includes(comment)) throw new Error(`internal: ${path} has no ${comment}`);
  await writeFile(path, page.replace(comment, html));
}
