/** The tarball holds what it should, and so does an empty project into which it is installed. */
import { builtinModules } from 'node:module';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { prose } from '../unit/docs/documents.ts';
import { oldestNode, run, succeed } from './outside.ts';

const { app, tarball } = inject('installation');

let unpacked = '';
/** The paths of the tarball's files. */
let paths: readonly string[] = [];
/** Maps each package's path from the project's folder, such as `node_modules/zod`, to its version. */
let installed: ReadonlyMap<string, { readonly version: string }> = new Map();

beforeAll(async () => {
  unpacked = await mkdtemp(join(tmpdir(), 'bn-edge-tarball-'));
  await succeed('tar', ['-xzf', tarball, '--strip-components=1'], { cwd: unpacked });
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
  paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath, entry.name).slice(unpacked.length + 1));
  const lock = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  installed = new Map(Object.entries(lock.packages));
});
afterAll(() => rm(unpacked, { recursive: true }));

const read = (path: string): Promise<string> => readFile(join(unpacked, path), 'utf8');
const code = (): readonly string[] => paths.filter((path) => /^dist\/(training|exporter|worker)\/.*\.js$/.test(path));

describe('the tarball', () => {
  test('holds what was built, the guides, and nothing else', () => {
    const known =
      /^(package\.json|[A-Z]+\.md|LICENSE|preinstall\.mjs|docs\/((guide|decisions)\/)?[\w-]+\.md|dist\/(training|exporter|worker|page)\/.+)$/;
    // The documents link to these files.
    const shown = [
      ...['exporter/edge/README.md', 'test/fixtures/penguins.csv', 'test/page/screenshots/form-1280.png'],
      'test/page/screenshots/page-batch.png',
      'training/compile/README.md',
    ];
    expect(paths.filter((path) => !known.test(path)).sort()).toEqual(shown);
    // The templates of `init` are TypeScript; a model or a test would be a file of another kind.
    const kinds = /\.(js|js\.map|d\.ts)$|\/templates\/|^dist\/page\/|^[^/]+$|\.md$/;
    expect(paths.filter((path) => !kinds.test(path) && !shown.includes(path))).toEqual([]);
    expect(paths.filter((path) => /mnist-cnn|report\/|\.onnx$|tsbuildinfo|stamp/.test(path))).toEqual([]);
  });

  test('has types and a source map, with its source, for every module', async () => {
    const missing = code().flatMap((path) =>
      [path.replace(/\.js$/, '.d.ts'), `${path}.map`].filter((other) => !paths.includes(other)),
    );
    // The build vendors this module: see build.ts.
    expect(missing).toEqual(['dist/training/graph/onnx-proto.js.map']);
    for (const path of paths.filter((each) => each.endsWith('.js.map'))) {
      const { sources, sourcesContent } = JSON.parse(await read(path)) as Readonly<Record<string, readonly string[]>>;
      expect(
        sources?.map((source) => basename(source)),
        path,
      ).toEqual([basename(path).replace(/\.js\.map$/, '.ts')]);
      expect(sourcesContent?.[0]?.length, path).toBeGreaterThan(10);
    }
  });

  test('has documents that link to nothing that it does not hold', async () => {
    const links = [];
    for (const path of paths.filter((each) => each.endsWith('.md'))) {
      for (const [, target = ''] of prose({ path, text: await read(path) }).matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)/g))
        links.push({ path, target, leadsTo: posix.join(posix.dirname(path), target) });
    }
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter(({ leadsTo }) => !paths.includes(leadsTo))).toEqual([]);
  });

  test('names no folder of the machine that built it', async () => {
    const root = join(import.meta.dirname, '../..');
    for (const path of paths) expect(await read(path), path).not.toContain(root);
  });

  test('imports every dependency, and nothing that is none', async () => {
    const imported = new Set<string>();
    for (const path of [...code(), ...paths.filter((each) => each.startsWith('dist/') && each.endsWith('.d.ts'))]) {
      for (const [, specifier = ''] of (await read(path)).matchAll(importing)) imported.add(packageOf(specifier));
    }
    // The text of a WebAssembly module imports its memory from `host`; workerd and Node have modules of their own.
    for (const ours of ['bn-edge', 'host', 'cloudflare:workers', ...builtinModules]) imported.delete(ours);
    const { dependencies, peerDependencies } = manifest;
    expect([...imported].sort()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort());
  });

  test.each(['import', 'require'])('begins with what %ss of the three entry points find', async (how) => {
    const load =
      how === 'import'
        ? `await import('bn-edge'), await import('bn-edge/worker'), (await import('bn-edge/package.json', { with: { type: 'json' } })).default`
        : `require('bn-edge'), require('bn-edge/worker'), require('bn-edge/package.json')`;
    const script = `const all = [${load}]; console.log(JSON.stringify([typeof all[0].dense, typeof all[1].createWorker, all[2].version]));`;
    const type = how === 'import' ? 'module' : 'commonjs';
    const args = ['--no-warnings', `--input-type=${type}`, '--eval', script];
    expect(JSON.parse(await succeed('node', args, { cwd: app, node: oldestNode }))).toEqual([
      'function',
      'function',
      manifest.version,
    ]);
  });
});

/** Matches static and dynamic imports, `require.resolve`, and the `import('…')` that TypeScript writes into types. */
const importing = /(?:\bfrom\s*|\bimport\s*\(?\s*|\.resolve\()["']((?:@[\w-]+\/)?\w[\w./:-]*)["']/g;

/** Returns the package of a specifier: `zod` for `zod/mini`. */
function packageOf(specifier: string): string {
  const bare = specifier.replace(/^node:/, '');
  return bare.split('/', bare.startsWith('@') ? 2 : 1).join('/');
}

describe('an installation', () => {
  test('is one that npm finds nothing wrong with', async () => {
    const { code: exitCode, stdout, stderr } = await run('npm', ['ls', '--all'], { cwd: app });
    expect(`${stdout}${stderr}`).not.toMatch(/invalid|extraneous|UNMET DEPENDENCY|missing:|ELSPROBLEMS/);
    expect(exitCode).toBe(0);
  });

  test('brings nothing that only develops this package', () => {
    // These belong to Wrangler or to Plot.
    const others = ['wrangler', 'workerd', 'undici', 'd3-axis', 'd3-scale', 'd3-selection', 'd3-shape', '@types/node'];
    const developing = Object.keys(manifest.devDependencies).filter((name) => !others.includes(name));
    expect(developing).toContain('vitest');
    expect(developing.filter((name) => installed.has(`node_modules/${name}`) && name !== 'bn-edge')).toEqual([]);
  });

  test('has one protobufjs, that is maintained', () => {
    const versions = [...installed].filter(([path]) => path.endsWith('/protobufjs')).map(([, { version }]) => version);
    expect(versions).toHaveLength(1);
    expect(Number(versions[0]?.split('.')[0])).toBeGreaterThanOrEqual(7);
  });

  test('needs nothing but the registry: no library for CUDA was fetched', async () => {
    const folder = join(app, 'node_modules/onnxruntime-node/bin/napi-v6', process.platform, process.arch);
    const libraries = (await readdir(folder)).filter((name) => name.includes('providers'));
    for (const name of libraries) expect(await readFile(join(folder, name)), name).toHaveLength(0);
  });

  test('loads nothing heavy for a layer', async () => {
    const script = `
      import { createRequire } from 'node:module';
      import { dense } from 'bn-edge';
      dense(1);
      const { cache } = createRequire(import.meta.url);
      console.log(JSON.stringify(Object.keys(cache)));`;
    const args = ['--input-type=module', '--eval', script];
    const loaded = JSON.parse(await succeed('node', args, { cwd: app, node: oldestNode })) as readonly string[];
    const packages = new Set(loaded.map((path) => path.split('node_modules/').at(-1)?.split('/')[0]));
    for (const heavy of ['onnxruntime-node', 'onnxruntime-web', 'sharp', 'esbuild', 'linkedom', 'binaryen'])
      expect([...packages]).not.toContain(heavy);
  });
});

describe('on the oldest Node that it supports', () => {
  /**
   * Matches modules that act when they are imported (commands, a program, threads), those that exist only for their
   * types, and those only for workerd.
   */
  const programs =
    /command\/(main|check-models)\.js$|probe\.js$|(reference|rows|second)-thread\.js$|image-declarations\.js$|drift\/(drift-monitor|index)\.js$/;

  test('every module loads', async () => {
    const modules = code().filter((path) => !programs.test(path));
    const script = `
      const failures = [];
      for (const path of ${JSON.stringify(modules)})
        await import('./node_modules/bn-edge/' + path).catch((error) => failures.push(path + ': ' + error));
      console.log(JSON.stringify(failures));
      process.exit(0);`;
    const args = ['--input-type=module', '--eval', script];
    expect(JSON.parse(await succeed('node', args, { cwd: app, node: oldestNode }))).toEqual([]);
  });
});
