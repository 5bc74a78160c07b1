/** CONTRIBUTING.md's examples are complete: the compiler names each missing part, and accepts the whole. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const copy = join(root, '.test/additions');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

interface Change {
  readonly path: string;
  /** The lines of the file that are replaced, and the lines that replace them. */
  readonly before: string;
  readonly after: string;
}

/** Maps each heading of CONTRIBUTING.md to its example's changes, in order. */
const examples: ReadonlyMap<string, readonly Change[]> = new Map(
  (await readFile(join(root, 'CONTRIBUTING.md'), 'utf8'))
    .split(/^## /m)
    .map((section) => [section.split('\n', 1)[0] ?? '', changesIn(section)] as const)
    .filter(([, changes]) => changes.length > 0),
);

function changesIn(section: string): readonly Change[] {
  return [...section.matchAll(/^( *)```diff\n *\+\+\+ (\S+)\n([^]*?)^ *```$/gm)].map(
    ([, indent = '', path = '', block = '']) => {
      const lines = block.trimEnd().split('\n').map((line) => line.slice(indent.length)); // oxfmt-ignore
      const without = (sign: string) =>
        lines.filter((line) => !line.startsWith(sign)).map((line) => `${line.slice(1)}\n`);
      return { path, before: without('+').join(''), after: without('-').join('') };
    },
  );
}

async function apply({ path, before, after }: Change): Promise<void> {
  const file = join(copy, path);
  if (before === '') return writeFile(file, after);
  const text = await readFile(file, 'utf8');
  expect(text.split(before).length - 1, `${path} has these lines once:\n${before}`).toBe(1);
  await writeFile(
    file,
    text.replace(before, () => after),
  );
}

/** Lists the files in which the compiler finds errors. */
function complaints(): Promise<readonly string[]> {
  return new Promise((done) => {
    execFile(process.execPath, [tsc, '-p', copy, '--pretty', 'false'], { cwd: copy }, (_error, stdout) => {
      const files = [...stdout.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file = '']) => file);
      done([...new Set(files)].toSorted());
    });
  });
}

// Other code that is compiled along includes types of the DOM, among them those of WebAssembly.
const lib = ['ES2024', 'ESNext.Disposable', 'DOM'];

beforeEach(async () => {
  await rm(copy, { recursive: true, force: true });
  for (const folder of ['training', 'test/reference'])
    await cp(join(root, folder), join(copy, folder), { recursive: true });
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { incremental: false, lib },
    include: ['training', 'test'],
  };
  await mkdir(copy, { recursive: true });
  await writeFile(join(copy, 'tsconfig.json'), JSON.stringify(config));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

describe('the examples of CONTRIBUTING.md', () => {
  it('have the compiler name the tables that miss what the first step of each has begun', async () => {
    expect([...examples.keys()]).toEqual([
      ...['Add an op', 'Add a layer', 'Add an optimizer', 'Add an objective'],
      'Add a data format',
    ]);
    for (const [first] of examples.values()) if (first) await apply(first);
    expect(await complaints()).toEqual([
      'test/reference/cases/index.ts',
      'test/reference/evaluators/index.ts',
      'training/autodiff/rules/index.ts',
      'training/data/load.ts',
      'training/graph/schemas/index.ts',
      'training/network/rules/index.ts',
      'training/objective/rules/index.ts',
      'training/optimizer/index.ts',
    ]);
  });

  it('compile when they are followed to their ends', async () => {
    for (const change of [...examples.values()].flat()) await apply(change);
    expect(await complaints()).toEqual([]);
  });
});
