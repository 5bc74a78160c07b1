import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModels, registrySource } from '../../exporter/registry.ts';

/** A folder holding the given files, as path and text. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'bn-edge-registry-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const refused: [what: string, files: Record<string, string>, message: RegExp][] = [
  ['an empty folder', {}, /expected at least one model folder, got none$/],
  ['a name with a space', { 'a b/model.onnx': '' }, /expected a folder name matching .*, got "a b"$/],
  [
    'a name that starts with a dot',
    { '.hidden/model.onnx': '' },
    /expected a folder name matching .*, got "\.hidden"$/,
  ],
  ['a folder without model', { 'a/card.json': '{}' }, /a: expected a file model\.onnx, got none$/],
  ['a card that is not JSON', { 'a/model.onnx': '', 'a/card.json': '{' }, /card\.json: expected a model card, got /],
  ['labels that are a string', { 'a/model.onnx': '', 'a/card.json': '{"labels":"0"}' }, /card\.json: .*labels/],
];

describe('the model registry', () => {
  it('imports every file statically, sorted by model name', () => {
    const folder = folderOf({
      'b/model.onnx': '',
      'b/batch-statistics.onnx': '',
      'a/model.onnx': '',
      'a/card.json': '{"labels": ["no", "yes"], "accuracy": 0.99}',
      'README.md': '',
    });
    expect(
      registrySource(readModels(folder), join(folder, '../worker')).replaceAll(
        folder.slice(tmpdir().length),
        '/models',
      ),
    ).toMatchInlineSnapshot(`
      "// Written by exporter/registry.ts from the folder models/.
      import type { ModelFiles } from './models.ts';
      import file0 from "../models/a/model.onnx";
      import file1 from "../models/b/model.onnx";
      import file2 from "../models/b/batch-statistics.onnx";

      export const modelFiles: readonly ModelFiles[] = [
        { name: "a", version: "1", labels: ["no","yes"], model: file0 },
        { name: "b", version: "1", model: file1, batchStatistics: file2 },
      ];
      "
    `);
  });

  it.each(refused)('refuses %s', (_, files, message) => {
    expect(() => readModels(folderOf(files))).toThrow(message);
  });
});
