/** The hash of a build covers the code of every room that its files depend on. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from '@typescript/typescript6';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';
import { codeFiles, codeFolders } from '../../../exporter/edge/build-hash.ts';

/** These rooms read and describe models and files. What they give the build is hashed with the models. */
const describing = [
  'exporter/store',
  ...['data', 'files', 'network', 'objective', 'process'].map((room) => `training/${room}`),
];

/** Returns the sources that a file imports for their values; types leave no trace in an image. */
const importsOf = (path: string): readonly string[] =>
  ts
    .preProcessFile(transformSync(readFileSync(path, 'utf8'), { loader: 'ts', format: 'esm' }).code)
    .importedFiles.map(({ fileName }) => join(dirname(path), fileName))
    .filter((name) => name.endsWith('.ts') && existsSync(name));

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));

function reachedFrom(files: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const follow = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    importsOf(file).forEach(follow);
  };
  files.forEach(follow);
  return reached;
}

const roomsOf = (files: Iterable<string>): readonly string[] => [
  ...new Set(Array.from(files, (file) => file.split('/').slice(0, 2).join('/'))),
];

it('every room that the build imports is hashed, or only describes models', () => {
  const rooms = roomsOf(reachedFrom(filesIn('exporter/edge')));
  expect(rooms).toContain('training/compile');
  expect(rooms.filter((room) => ![...codeFolders, ...describing].includes(room))).toEqual([]);
});

it('every source of the models as functions, which are bundled with the image, is hashed', () => {
  const sources = reachedFrom(['worker/predict/calls.ts', 'worker/predict/picture-calls.ts']);
  const hashed = new Set([...codeFolders, ...codeFiles.map((file) => `${file}.ts`)]);
  expect(roomsOf(sources)).toContain('training/pictures');
  expect(roomsOf(sources).filter((room) => !hashed.has(room))).toEqual([]);
});

it('every hashed folder exists', () => {
  expect(codeFolders.filter((folder) => !existsSync(folder))).toEqual([]);
});
