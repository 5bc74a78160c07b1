/** A run never replaces another one, nor writes among files that do not belong to a run. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFolder, type FolderChoice, folderName } from '../../../training/run/choose-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function choose(content: Readonly<Record<string, string>>, choice: FolderChoice = {}) {
  for (const [path, text] of Object.entries(content)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const notes: string[] = [];
  const out = join(folder, 'churn');
  const chosen = await chooseFolder({ out, ...choice }, 'churn', (line) => notes.push(line));
  return { chosen: chosen.replace(folder, ''), notes: notes.map((line) => line.replaceAll(folder, '')) };
}

const run = { 'churn/last.safetensors': '', 'churn/config.json': '{}' };
const begun = { 'churn/config.json': '{"network":{},"config":{},"sha256":""}', 'churn/metrics.jsonl': '' };

describe('a run goes', () => {
  it.each<[string, Readonly<Record<string, string>>, FolderChoice, string]>([
    ['into a new folder', {}, {}, '/churn'],
    ['where one ended before its first epoch', begun, {}, '/churn'],
    ['into the folder of the run that it goes on with', run, { resume: true }, '/churn'],
    ['into the folder of the run that it replaces', run, { overwrite: true }, '/churn'],
    ['beside a run', run, {}, '/churn-2'],
    ['beside one that was about to be replaced', { ...begun, 'churn/.former/last.safetensors': '' }, {}, '/churn-2'],
    ['beside a checkpoint alone', { 'churn/checkpoint.safetensors': '' }, {}, '/churn-2'],
    ['beside all that there are', { ...run, 'churn-2/best.safetensors': '' }, {}, '/churn-3'],
  ])('%s', async (_, content, choice, expected) => {
    const { chosen, notes } = await choose(content, choice);
    expect(chosen).toBe(expected);
    expect(notes).toEqual(
      expected === '/churn'
        ? []
        : [`/churn holds a run: this one goes into ${expected}; --overwrite replaces the other, --resume continues it`],
    );
  });

  it.each([{}, { overwrite: true }, { resume: true }])('never among other files: %j', async (choice) => {
    const others = { 'churn/figures/mine.svg': '', 'churn/config.json': '{"mine":1}' };
    await expect(choose(others, choice)).rejects.toThrow(
      `--out: expected a new folder, or one that holds a run, got ${join(folder, 'churn')}, which holds "config.json"`,
    );
    expect(await readdir(join(folder, 'churn'))).toEqual(['config.json', 'figures']);
  });
});

it.each([
  ['churn 2024', 'churn 2024'],
  ['../../evil', '-..-evil'],
  ['..', 'run'],
  ['a/b', 'a-b'],
  ['C:\\x', 'C--x'],
  ['.hidden', 'hidden'],
])('a network called %j has the folder %j', (name, expected) => {
  expect(folderName(name)).toBe(expected);
});
