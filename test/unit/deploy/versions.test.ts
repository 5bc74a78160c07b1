/** A model's folder holds the right versions after releases and rollbacks, and only safe names become folders. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint, sha256Of } from '../../../exporter/deploy/fingerprint.ts';
import { isModelName } from '../../../exporter/store/model-name.ts';
import { folderAfterRollback } from '../../../exporter/store/rollback.ts';
import {
  type Files,
  folderAfterRelease,
  keptOf,
  nextVersion,
  readFolder,
  versionOf,
} from '../../../exporter/store/versions.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Returns a version as an export writes it; its files contain the version's name. */
const version = (name: string): Files =>
  new Map([
    ['model.onnx', bytes(`model ${name}`)],
    ['card.json', bytes(JSON.stringify({ version: name }))],
  ]);

const contents = (files: Files): Record<string, string> =>
  Object.fromEntries([...files].map(([path, content]) => [path, Buffer.from(content).toString()]));

const first = version('1');
const second = folderAfterRelease(first, version('2'));

describe("a model's folder", () => {
  it('has no other version after the first release', () => {
    expect(folderAfterRelease(new Map(), first)).toEqual(first);
    expect(nextVersion(new Map())).toBe('1');
  });

  it('keeps the version before', () => {
    expect(contents(second)).toEqual({
      'model.onnx': 'model 2',
      'card.json': '{"version":"2"}',
      'versions/1/model.onnx': 'model 1',
      'versions/1/card.json': '{"version":"1"}',
    });
    expect([versionOf(second), nextVersion(second)]).toEqual(['2', '3']);
    expect([...keptOf(second).keys()]).toEqual(['versions/1/model.onnx', 'versions/1/card.json']);
  });

  it('keeps one version only', () => {
    expect(contents(folderAfterRelease(second, version('3')))).toEqual({
      'model.onnx': 'model 3',
      'card.json': '{"version":"3"}',
      'versions/2/model.onnx': 'model 2',
      'versions/2/card.json': '{"version":"2"}',
    });
  });

  it('keeps a version whose only ONNX file has a name of its own, and nothing of it beside the new one', () => {
    const foreign: Files = new Map([['resnet.onnx', bytes('model 1')]]);
    expect(contents(folderAfterRelease(foreign, version('2')))).toEqual({
      'model.onnx': 'model 2',
      'card.json': '{"version":"2"}',
      'versions/1/resnet.onnx': 'model 1',
    });
  });

  it('leaves what somebody has put there in its place', () => {
    const notes = ['notes.md', bytes('mine')] as const;
    const released = folderAfterRelease(new Map([...first, notes, ['versions/.DS_Store', bytes('')]]), version('2'));
    expect([...released.keys()].sort()).toEqual(
      [
        'card.json',
        'model.onnx',
        'notes.md',
        'versions/.DS_Store',
        'versions/1/card.json',
        'versions/1/model.onnx',
        'versions/1/notes.md',
      ].sort(),
    );
    expect(versionOf(folderAfterRollback('models/digits', released))).toBe('1');
    expect(folderAfterRollback('models/digits', released).get('notes.md')).toEqual(notes[1]);
  });

  it('is the same after two rollbacks', () => {
    const back = folderAfterRollback('models/digits', second);
    expect(versionOf(back)).toBe('1');
    expect([...keptOf(back).keys()]).toEqual(['versions/2/model.onnx', 'versions/2/card.json']);
    expect(contents(folderAfterRollback('models/digits', back))).toEqual(contents(second));
  });

  it('never counts a number twice, not even after a rollback', () => {
    expect(nextVersion(folderAfterRollback('models/digits', second))).toBe('3');
    // Only the platform's messages tell of a deployment whose success was never reported.
    expect(nextVersion(second, ['3', '1', 'odd'])).toBe('4');
  });

  it('has version 1 where no card says otherwise', () => {
    expect(versionOf(new Map([['model.onnx', bytes('from elsewhere')]]))).toBe('1');
    expect(nextVersion(new Map([['model.onnx', bytes('from elsewhere')]]))).toBe('2');
  });

  it('without an earlier version cannot be rolled back', () => {
    expect(() => folderAfterRollback('models/digits', first)).toThrow(
      'models/digits: expected an earlier version to go back to, got none',
    );
    expect(() => folderAfterRollback('models/nope', new Map())).toThrow(
      'models/nope: expected a model, got none; bn-edge status lists the models',
    );
  });

  it.each(['../..', '/etc', 'a/b', ''])('with a card of version %j is refused', (name) => {
    expect(() => folderAfterRelease(version(name), second)).toThrow(/^card\.json: version: expected letters, digits, /);
  });

  it('with a card that is none is refused', () => {
    expect(() => versionOf(new Map([['card.json', bytes('{')]]))).toThrow('card.json: expected JSON, got "{"');
  });
});

describe('the folder on disk', () => {
  let models: string;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'bn-edge-versions-'));
    for (const [path, content] of second) {
      await mkdir(dirname(join(models, 'digits', path)), { recursive: true });
      await writeFile(join(models, 'digits', path), content);
    }
  });
  afterAll(() => rm(models, { recursive: true }));

  it('is read with all its versions', async () => {
    expect(contents(await readFolder(models, 'digits'))).toEqual(contents(second));
    expect(await readFolder(models, 'nothing')).toEqual(new Map());
  });

  it.each(['../x', '/tmp/x', 'a/b'])('%j is not looked for', async (name) => {
    await expect(readFolder(models, name)).rejects.toThrow(/^--name: expected letters, digits, .*, got "/);
  });
});

describe('a model name', () => {
  it.each(['mnist-cnn', 'resnet_50.v2', '7', 'A', 'console', 'com10', 'x'.repeat(64)])('may be %s', (name) => {
    expect(isModelName(name)).toBe(true);
  });

  it.each([
    ['the folder above', '../x'],
    ['two dots', '..'],
    ['an absolute path', '/x'],
    ['a path', 'a/b'],
    ['a path of Windows', 'a\\b'],
    ['a drive', 'C:'],
    ['an alternate data stream', 'a:b'],
    ['a device of Windows', 'con'],
    ['a device in capitals', 'NUL'],
    ['a device with an ending', 'lpt1.onnx'],
    ['a dot at the end, which Windows drops', 'a.'],
    ['a space at the end', 'a '],
    ['a hidden file', '.a'],
    ['an option', '-a'],
    ['a prototype', '__proto__'],
    ['an escape', 'a%2fb'],
    ['a zero byte', 'a\0'],
    ['a line feed', 'a\n'],
    ['nothing', ''],
    ['more than a file system takes', 'x'.repeat(65)],
  ])('is not %s', (_, name) => {
    expect(isModelName(name)).toBe(false);
  });
});

describe('the fingerprint of a folder of models', () => {
  let models: string;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'bn-edge-fingerprint-'));
  });
  afterAll(async () => {
    await rm(models, { recursive: true });
  });

  it.each([
    ['model.onnx', true],
    ['card.json', true],
    ['versions/1/net.onnx', true],
    ['notes.md', false],
    ['other.onnx', false],
  ])('changes with what is served of it: %s', async (path, isServed) => {
    await put({ 'one/model.onnx': 'a', 'one/card.json': '{}', 'one/versions/1/net.onnx': 'b' });
    const before = await fingerprint(models);
    await put({ [`one/${path}`]: 'another' });
    expect((await fingerprint(models)) !== before).toBe(isServed);
  });

  it('changes with a model of any name, and with the weights that lie beside it', async () => {
    await put({ 'two/resnet.onnx': externalModel(), 'two/resnet.onnx.data': new Uint8Array(4) });
    const before = await fingerprint(models);
    await put({ 'two/resnet.onnx.data': Uint8Array.of(0, 0, 128, 63) });
    const after = await fingerprint(models);
    expect(after).not.toBe(before);
    const files = await readFolder(models, 'two');
    expect(sha256Of(files)).toBe(createHash('sha256').update(externalModel()).digest('hex'));
  });

  it('changes with a model that is a link', async () => {
    await put({ 'three/card.json': '{}', 'elsewhere/.model': 'a' });
    await symlink('../elsewhere/.model', join(models, 'three', 'model.onnx'));
    const before = await fingerprint(models);
    await put({ 'elsewhere/.model': 'b' });
    expect(await fingerprint(models)).not.toBe(before);
  });

  async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(models, path)), { recursive: true });
      await writeFile(join(models, path), content);
    }
  }
});

/** Returns a model whose only number is in the file beside it. */
function externalModel(): Uint8Array {
  const { ModelProto, TensorProto } = onnxProto.onnx;
  const weight = {
    name: 'weight',
    dims: [1],
    dataType: TensorProto.DataType.FLOAT,
    dataLocation: TensorProto.DataLocation.EXTERNAL,
    externalData: [{ key: 'location', value: 'resnet.onnx.data' }],
  };
  return ModelProto.encode({ graph: { initializer: [weight] } }).finish();
}
