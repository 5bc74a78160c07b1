/** Draws the report from the stored numbers in its folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experiments } from '../claims/index.ts';
import { loadRecord } from '../run.ts';
import { reportPage } from './page.ts';

/** @returns the path of the page */
export async function writeReport(folder: string): Promise<string> {
  const records = await Promise.all(experiments.map((experiment) => loadRecord(folder, experiment)));
  const path = join(folder, 'index.html');
  await writeFile(path, reportPage(experiments, records));
  return path;
}
