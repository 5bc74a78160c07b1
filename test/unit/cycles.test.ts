/**
 * No file of training/ depends on itself through others, not even for a type: each can be read and moved after what it
 * imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from '@typescript/typescript6';
import { expect, it } from 'vitest';

type Imports = ReadonlyMap<string, readonly string[]>;

function importsIn(folder: string): Imports {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return new Map(files.map((file) => [join(folder, file), importsOf(join(folder, file))]));
}

const importsOf = (path: string): readonly string[] =>
  ts
    .preProcessFile(readFileSync(path, 'utf8'))
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(path), name));

/** Returns the first path from a file back to itself. */
function cycleIn(imports: Imports): readonly string[] {
  const done = new Set<string>();
  const follow = (path: readonly string[], file: string): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of imports.get(file) ?? []) {
      const cycle = follow([...path, file], next);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  return [...imports.keys()].map((file) => follow([], file)).find((cycle) => cycle.length > 0) ?? [];
}

it('holds for training/', () => {
  const imports = importsIn('training');
  expect(imports.get('training/trainer/step.ts')).toContain('training/trainer/update-parameters.ts');
  expect(cycleIn(imports)).toEqual([]);
});

it('would be noticed', () => {
  const imports = new Map([
    ['a', ['b', 'c']],
    ['b', []],
    ['c', ['d']],
    ['d', ['b', 'c']],
  ]);
  expect(cycleIn(imports)).toEqual(['c', 'd', 'c']);
});
