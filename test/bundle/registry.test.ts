import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readModels, registrySource, writeRegistry } from '../../exporter/store/registry.ts';
import { digits, foreign, identity, sequence, text } from './fixtures.ts';

/** A folder holding the given files, as path and content, for as long as the test runs. */
function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'bn-edge-registry-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const model = identity();

const refused: [what: string, files: Record<string, string | Uint8Array>, message: RegExp][] = [
  ['an empty folder', {}, /expected at least one model folder, got none$/],
  ['a name with a space', { 'a b/model.onnx': model }, /expected folder names of letters, .*, got "a b"$/],
  ['a name that starts with a dot', { '.hidden/model.onnx': model }, /expected folder names .*, got "\.hidden"$/],
  ['a folder without model', { 'a/card.json': '{}' }, /a: expected a file model\.onnx, got none$/],
  ['a card that is not JSON', { 'a/model.onnx': model, 'a/card.json': '{' }, /card\.json: expected JSON, got "\{"$/],
  [
    'labels that are a string',
    { 'a/model.onnx': model, 'a/card.json': '{"labels":"0"}' },
    /a\/card\.json: labels: expected a list, got "0"$/,
  ],
  [
    'another version without model',
    { 'a/model.onnx': model, 'a/versions/1/card.json': '{}' },
    /1: expected a file model\.onnx, got none$/,
  ],
  [
    'another version whose card disagrees',
    { 'a/model.onnx': model, 'a/versions/7/model.onnx': model },
    /versions\/7\/card\.json: expected version 7, got 1$/,
  ],
  [
    'the same version twice',
    { 'a/model.onnx': model, 'a/versions/1/model.onnx': model },
    /versions\/1: expected a version besides the current one, got it again$/,
  ],
  ['a version with a space', { 'a/model.onnx': model, 'a/versions/1 2/model.onnx': model }, /names of .*, got "1 2"$/],
  [
    'a card whose version leads elsewhere',
    { 'a/model.onnx': model, 'a/card.json': '{"version": "../b"}' },
    /card\.json: version: expected letters, .*, got "\.\.\/b"$/,
  ],
  [
    'a file that is no model',
    { 'a/model.onnx': 'Hello' },
    /model\.onnx: expected an ONNX model, got 5 bytes that are none$/,
  ],
  ['an empty model', { 'a/model.onnx': '' }, /model\.onnx: expected an ONNX model, got an empty file$/],
  ['text in', { 'a/model.onnx': text() }, /model\.onnx: words: expected a tensor of numbers, got a tensor of STRING$/],
  [
    'dictionaries out',
    { 'a/model.onnx': sequence() },
    /output_probability: expected a tensor .*got a sequence.*zipmap/,
  ],
];

const unrunnable: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['an operator that nobody knows', foreign('Frobnicate'), /model\.onnx: the runtime cannot run it: .*Frobnicate/],
  [
    'an operator the runtime left out',
    foreign('Frobnicate', 'com.example'),
    /cannot run it: .*com\.example.*Frobnicate/,
  ],
];

describe('the model registry', () => {
  it('describes every model, sorted by name', () => {
    const folder = folderOf({
      'b/model.onnx': digits(),
      'a/model.onnx': model,
      'a/card.json': '{"labels": ["no", "yes"], "name": "a"}',
      'README.md': '',
    });
    const models = readModels(folder).map((known) => ({ ...known, batchNorm: [] }));
    expect(registrySource(models)).toMatchInlineSnapshot(`
      "// Written by exporter/store/registry.ts from the folder models/.
      import type { ModelAbout } from './models.ts';

      /** The input of every \`switchable\` file: true for the statistics of the mini-batch. */
      export const switchName = "bn-edge/batch_statistics";

      export const modelsAbout: readonly ModelAbout[] = [
        { name: "a", path: "a", version: "1", labels: ["no","yes"], batchNorm: [] },
        { name: "b", path: "b", version: "1", batchNorm: [] },
      ];
      "
    `);
  });

  it('reads the Batch Norm layers, in the decimals that a 32-bit float needs', () => {
    const [known] = readModels(folderOf({ 'digits/model.onnx': digits() }));
    expect(known?.batchNorm).toEqual([
      {
        name: 'zt',
        input: 'z',
        output: 'zt',
        epsilon: 1e-5,
        momentum: 0.9,
        gamma: [1, 0.5, 2, 1.5],
        beta: [0, 1, -1, 0.5],
        runningMean: [10, -5, 20, 0],
        runningVar: [2500, 900, 4000, 100],
      },
    ]);
  });

  it('writes each file once', async () => {
    const folder = folderOf({ 'models/digits/model.onnx': digits() });
    const [models, registry, served] = [join(folder, 'models'), join(folder, 'registry.ts'), join(folder, 'served')];
    await writeRegistry(models, registry, served);
    const written = readFileSync(registry, 'utf8');
    expect(readdirSync(join(served, 'digits'))).toEqual(['model.onnx', 'switchable.onnx']);
    expect(readFileSync(join(served, 'digits/model.onnx'))).toEqual(readFileSync(join(models, 'digits/model.onnx')));
    await writeRegistry(models, registry, served);
    expect(readFileSync(registry, 'utf8')).toBe(written);
  });

  it.each(refused)('refuses %s', (_, files, message) => {
    expect(() => readModels(folderOf(files))).toThrow(message);
  });

  it.each(unrunnable)('refuses %s by its name', async (_, bytes, message) => {
    const folder = folderOf({ 'models/a/model.onnx': bytes });
    await expect(writeRegistry(join(folder, 'models'), join(folder, 'r.ts'), join(folder, 'served'))).rejects.toThrow(
      message,
    );
  });
});
