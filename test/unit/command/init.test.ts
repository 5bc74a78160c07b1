/** `bn-edge init` writes what is missing, and leaves the rest alone. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { format } from 'oxfmt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { warningIfUncounted } from '../../../exporter/deploy/configuration.ts';
import { type Initialized, initialize } from '../../../exporter/command/init-files.ts';
import { monitorSource, monitorToml, workerSource } from '../../../exporter/command/init-monitor.ts';
import { addScripts } from '../../../exporter/command/package-scripts.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFile(path, 'utf8');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Returns every file in the folder with its content. */
async function contents(): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = paths.sort().map(async (path) => [path.slice(folder.length + 1), await read(path)] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

const all = ['.gitignore', 'models/.gitkeep', 'package.json', 'tsconfig.json', 'worker/index.ts', 'wrangler.toml'];

describe('in an empty folder, init', () => {
  it('writes all that a Worker needs, and lists it', async () => {
    const { wrote, added, left, notes } = await initialize(folder, false);
    expect([...wrote].sort()).toEqual(all);
    expect({ added, left, notes }).toEqual({ added: {}, left: [], notes: [] });
    const written = await contents();
    expect(Object.keys(written)).toEqual(all);
    expect(written['worker/index.ts']).toBe(workerSource);
    expect(written['.gitignore']).toBe('node_modules/\n.bn-edge/\n.wrangler/\n.dev.vars\nruns/\n');
    expect(JSON.parse(written['package.json'] ?? '')).toMatchObject({
      private: true,
      type: 'module',
      scripts: { dev: 'wrangler dev', deploy: 'wrangler deploy' },
    });
  });

  it('makes the folder where there is none', async () => {
    await initialize(join(folder, 'new', 'app'), false);
    expect(await read(join(folder, 'new/app/wrangler.toml'))).toContain('name = "app"\n');
  });

  it('changes nothing when it is run again', async () => {
    await initialize(folder, true);
    const before = await contents();
    const { wrote, added, left } = await initialize(folder, true);
    expect({ wrote, added }).toEqual({ wrote: [], added: {} });
    expect([...left].sort()).toEqual(
      ['.github/workflows/bn-edge.yml', ...all].map((path) => path.replace('.gitkeep', '')).sort(),
    );
    expect(await contents()).toEqual(before);
  });
});

describe('in a project, init', () => {
  const theirs = {
    'package.json':
      '{\n\t"name": "@acme/Churn_App",\n\t"files": ["a", "b"],\n\t"scripts": {\n\t\t"dev": "vite"\n\t}\n}\n',
    '.gitignore': '# ours\n/node_modules\nruns\n*.log',
    'tsconfig.json': '{ "files": [] }',
    'worker/index.ts': 'export default {};\n',
    'models/churn/model.onnx': 'a model',
    'src/app.ts': 'app\n',
  };
  let done: Initialized;
  beforeEach(async () => {
    await put(theirs);
    done = await initialize(folder, false);
  });

  it('changes nothing but what it lists', async () => {
    expect(done).toEqual({
      wrote: ['wrangler.toml'],
      added: { 'package.json': ['script deploy'], '.gitignore': ['.bn-edge/', '.wrangler/', '.dev.vars'] },
      left: ['tsconfig.json', 'worker/index.ts', 'models/'],
      notes: [],
    });
    const { 'wrangler.toml': toml, 'package.json': manifest, '.gitignore': ignore, ...others } = await contents();
    const { 'package.json': _, '.gitignore': __, ...untouched } = theirs;
    expect(others).toEqual(untouched);
    expect(manifest).toBe(theirs['package.json'].replace('"vite"', '"vite",\n\t\t"deploy": "wrangler deploy"'));
    expect(ignore).toBe(`${theirs['.gitignore']}\n.bn-edge/\n.wrangler/\n.dev.vars\n`);
    expect(toml).toContain('name = "churn-app"\n');
  });

  it.each([
    ['wrangler.toml', 'name = "ours"\n', '[build] command = "bn-edge build"'],
    ['wrangler.jsonc', '{ "name": "ours" }\n', '"build": { "command": "bn-edge build"'],
  ])('leaves a %s, and says what it needs', async (file, content, needed) => {
    await rm(join(folder, 'wrangler.toml'));
    await put({ [file]: content });
    const { wrote, left, notes } = await initialize(folder, false);
    expect(wrote).toEqual([]);
    expect(left).toContain(file);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(`${file} is yours: it needs ${needed}`);
    expect(await read(join(folder, file))).toBe(content);
  });

  it('has nothing to say of a wrangler.toml that builds the image', async () => {
    await put({ 'wrangler.toml': '[build]\ncommand = "npm run x && bn-edge build"\n' });
    expect((await initialize(folder, false)).notes).toEqual([]);
  });
});

describe('a project that watches its models', () => {
  const [toml, worker] = ['wrangler.toml', 'worker/index.ts'].map((path) => () => read(join(folder, path)));

  it('has a binding, a class and its migration from the start', async () => {
    expect((await initialize(folder, false, true)).notes).toEqual([]);
    expect(await toml?.()).toContain(monitorToml);
    expect(await worker?.()).toBe(monitorSource);
  });

  it('gets them later, once, and keeps what it had', async () => {
    await initialize(folder, false);
    const before = await toml?.();
    const { wrote, added, notes } = await initialize(folder, false, true);
    expect([wrote, added, notes]).toEqual([
      [],
      { 'wrangler.toml': ['the binding DRIFT'], 'worker/index.ts': ['the class DriftMonitor'] },
      [],
    ]);
    expect([await toml?.(), await worker?.()]).toEqual([`${before}${monitorToml}`, monitorSource]);
    const again = await initialize(folder, false, true);
    expect([again.added, again.notes]).toEqual([{}, []]);
  });

  it.each([
    [
      'wrangler.toml',
      '[build]\ncommand = "bn-edge build"\n[[migrations]]\ntag = "v1"\n',
      '[[durable_objects.bindings]]',
    ],
    ['wrangler.toml', 'durable_objects = { bindings = [] }\n[build]\ncommand = "bn-edge build"\n', '[[migrations]]'],
    ['wrangler.jsonc', '{ "build": { "command": "bn-edge build" } }\n', '"new_sqlite_classes": ["DriftMonitor"]'],
    ['worker/index.ts', 'export default {};\n', 'export { DriftMonitor }'],
  ])('is told what its own %s needs: %s', async (file, content, needed) => {
    await initialize(folder, false);
    await rm(join(folder, 'wrangler.toml'));
    await put({ 'wrangler.toml': '[build]\ncommand = "bn-edge build"\n', [file]: content });
    if (file === 'wrangler.jsonc') await rm(join(folder, 'wrangler.toml'));
    const { notes } = await initialize(folder, false, true);
    expect(notes).toEqual([expect.stringContaining(`${file} is yours: to monitor it needs `)]);
    expect(notes[0]).toContain(needed);
    expect(await read(join(folder, file))).toBe(content);
  });
});

describe('a wrangler.toml that speaks of', () => {
  const built = '[build]\ncommand = "bn-edge build"\n';

  it('the class in a comment gets the binding', async () => {
    await put({ 'wrangler.toml': `${built}# DriftMonitor and "DRIFT" come later\n` });
    expect((await initialize(folder, false, true)).added['wrangler.toml']).toEqual(['the binding DRIFT']);
  });

  it.each([
    ['another binding DRIFT', '[[kv_namespaces]]\nbinding = "DRIFT"\nid = "a"\n', /; what is called DRIFT there needs another name$/],
    ['the class by another name', '[[durable_objects.bindings]]\nname = "OTHER"\nclass_name = "DriftMonitor"\n', /name = "DRIFT"/],
  ])('%s stays, and what it needs is told', async (_, text, told) => {
    await put({ 'wrangler.toml': `${built}${text}` });
    const { added, notes } = await initialize(folder, false, true);
    expect(added['wrangler.toml']).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(told)]);
    expect(await read(join(folder, 'wrangler.toml'))).toBe(`${built}${text}`);
  }); // oxfmt-ignore
});

describe('a build of monitored models', () => {
  it.each([
    ['without the class', 'name = "a"\n', /^net and 1 more is to be monitored, and wrangler\.toml has no binding/],
    ['where it is a comment', '# class_name = "DriftMonitor"\n', /no binding of the class DriftMonitor/],
    ['with the class', monitorToml, undefined],
  ])('%s says so in one line', async (_, text, told) => {
    await put({ 'wrangler.toml': text });
    const line = await warningIfUncounted(['net', 'other'], folder);
    expect(told ? told.test(line ?? '') : line).toBe(told && true);
    expect(await warningIfUncounted([], folder)).toBeUndefined();
  });
});

describe('scripts are added to a package.json', () => {
  const scripts = { dev: 'wrangler dev', deploy: 'wrangler deploy' };
  const add = (text: string) => addScripts('package.json', text, scripts).text;

  it.each([
    [
      'without scripts',
      '{\n  "name": "a"\n}\n',
      '{\n  "name": "a",\n  "scripts": {\n    "dev": "wrangler dev",\n    "deploy": "wrangler deploy"\n  }\n}\n',
    ],
    [
      'with none',
      '{\n  "scripts": {},\n  "x": 1\n}',
      '{\n  "scripts": {\n    "dev": "wrangler dev",\n    "deploy": "wrangler deploy"\n  },\n  "x": 1\n}',
    ],
    [
      'with some, four spaces deep',
      '{\n    "scripts": {\n        "a": "b"\n    }\n}',
      '{\n    "scripts": {\n        "a": "b",\n        "dev": "wrangler dev",\n        "deploy": "wrangler deploy"\n    }\n}',
    ],
    [
      'of Windows',
      '{\r\n  "scripts": {\r\n    "dev": "x"\r\n  }\r\n}\r\n',
      '{\r\n  "scripts": {\r\n    "dev": "x",\r\n    "deploy": "wrangler deploy"\r\n  }\r\n}\r\n',
    ],
    ['that has both', '{"scripts":{"deploy":"x","dev":"y"}}', '{"scripts":{"deploy":"x","dev":"y"}}'],
    ['that is empty', '{}', '{\n  "scripts": {\n    "dev": "wrangler dev",\n    "deploy": "wrangler deploy"\n  }\n}'],
    [
      'with braces in its texts and other scripts deeper down',
      '{\n  "a": { "scripts": { "dev": "{" } },\n  "description": "a \\"scripts\\": {",\n  "scripts": { "test": "echo }" }\n}',
      '{\n  "a": { "scripts": { "dev": "{" } },\n  "description": "a \\"scripts\\": {",\n  "scripts": { "test": "echo }",\n    "dev": "wrangler dev",\n    "deploy": "wrangler deploy"\n  }\n}',
    ],
  ])('%s', (_, text, expected) => {
    expect(add(text)).toBe(expected);
    expect(JSON.parse(add(text))).toMatchObject({ ...(JSON.parse(text) as object), scripts: {} });
  });

  it.each(['', '[]', '{', 'null'])('and %s is refused', (text) => {
    expect(() => add(text)).toThrow('package.json: expected a JSON object, got something else');
  });

  it('and so are scripts that are none', () => {
    expect(() => add('{"scripts":[]}')).toThrow('package.json: scripts: expected an object, got something else');
  });
});

describe('this repository', () => {
  it('has the Worker and the configuration that init writes', async () => {
    await put({ 'package.json': await read(join(root, 'package.json')) });
    await initialize(folder, false);
    for (const file of ['worker/index.ts', 'wrangler.toml']) {
      expect(await read(join(folder, file)), file).toBe(await read(join(root, file)));
    }
  });
});

describe('the workflow that --ci writes', () => {
  it('is YAML that trains, exports and releases with the token', async () => {
    await initialize(folder, true);
    const text = await read(join(folder, '.github/workflows/bn-edge.yml'));
    const { code, errors } = await format('bn-edge.yml', text, { printWidth: 128, singleQuote: true });
    expect(errors).toEqual([]);
    expect(code).toBe(text);
    const steps = [...text.matchAll(/^ {6}- (?:name: .*\n {8})?(?:run|uses): (.*)$/gm)].map(([, step]) => step);
    expect(steps).toEqual([
      'actions/checkout@v4',
      'actions/setup-node@v4',
      'npm ci',
      'npx bn-edge train "$DATA" --label "$LABEL" --out "$RUN"',
      'npx bn-edge export "$RUN" --models "$RUNNER_TEMP/models"',
      'actions/upload-artifact@v4',
      'actions/checkout@v4',
      'actions/setup-node@v4',
      'npm ci',
      'actions/download-artifact@v4',
      'npx bn-edge release "$RUN"',
      '|',
    ]);
    expect(text).toContain('CLOUDFLARE_API_TOKEN: ${{ secrets.CLOUDFLARE_API_TOKEN }}');
    expect(text).toContain('--models <folder>');
  });
});
