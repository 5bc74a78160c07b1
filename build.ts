/**
 * Builds the package into dist/ (`npm run build`): compiles the code folder by folder, with types and source maps,
 * bundles the pages, and copies the files that the code reads at run time. Parts whose inputs have not changed since
 * the last build are skipped.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);
const tsc = join(dirname(resolve('typescript/package.json')), 'bin', 'tsc');
const out = 'dist';
const page = join('worker', 'page');
const bin = join(out, 'exporter', 'command', 'main.js');
const projects = ['tsconfig.build.json', join('worker', 'tsconfig.build.json')];
const settings = ['build.ts', 'package.json', 'package-lock.json', 'tsconfig.json', ...projects];

/** Carries the compiler's message. */
class CompileError extends Error {}

/** Selects what is compiled. The templates of `bn-edge init` are not: they are copied, whatever their kind. */
const isModule = (path: string): boolean => /(?<!\.d)\.ts$/.test(path) && !path.includes('templates');
const isRead = (path: string): boolean =>
  !isModule(path) && (path.includes('templates') || !/tsconfig.*\.json$|\.md$/.test(path));

try {
  await build();
} catch (error) {
  console.error(error instanceof CompileError ? error.message : error);
  process.exitCode = 1;
}

async function build(): Promise<void> {
  const all = (await Promise.all(['training', 'exporter', 'worker'].map(filesIn))).flat();
  const pageFiles = all.filter((path) => path.startsWith(page));
  const codeFiles = all.filter((path) => !path.startsWith(page));
  await Promise.all([
    unlessDone('code', [...codeFiles, ...settings], () => compile(codeFiles)),
    // The training page's bundle includes the code that trains.
    unlessDone(
      'page',
      [...pageFiles, ...codeFiles.filter((path) => !path.startsWith('worker')), ...settings],
      async () => {
        const vite = await import('vite');
        await vite.build({ root: page, configFile: join(page, 'vite.config.ts'), logLevel: 'warn' });
      },
    ),
  ]);
}

async function compile(sources: readonly string[]): Promise<void> {
  await Promise.all(projects.map(typescript));
  await Promise.all(sources.filter(isRead).map(copy));
  await vendorOnnxProto();
  await removeStale(sources);
  await chmod(bin, 0o755);
}

async function copy(path: string): Promise<void> {
  await mkdir(dirname(join(out, path)), { recursive: true });
  await copyFile(path, join(out, path));
}

/** Removes the output of source files that no longer exist. */
async function removeStale(sources: readonly string[]): Promise<void> {
  const wanted = new Set(
    sources.flatMap((path) =>
      isModule(path) ? ['.js', '.js.map', '.d.ts'].map((ending) => path.replace(/\.ts$/, ending)) : [path],
    ),
  );
  for (const folder of ['training', 'exporter', 'worker'])
    for (const path of await filesIn(join(out, folder))) if (!wanted.has(path.slice(out.length + 1))) await rm(path);
}

/**
 * Replaces the module that imports `onnx-proto` with the package's code and types: see that module. They have a
 * namespace of their own, since another version of `onnx-proto` may be loaded in the same process.
 */
async function vendorOnnxProto(): Promise<void> {
  const read = (name: string) => readFile(resolve(`onnx-proto/${name}`), 'utf8');
  const [code, types, licence] = await Promise.all([read('dist/onnx.js'), read('dist/onnx.d.ts'), read('LICENSE')]);
  const notice = `/*!\nFrom onnx-proto, https://github.com/chaosmail/onnx-proto\n\n${licence}*/\n`;
  const module = replaced(code, [
    ['var $protobuf = require("protobufjs/minimal");', 'import $protobuf from "protobufjs/minimal.js";'],
    ['var $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {});', 'var $root = {};'],
    ['module.exports = $root;', 'export { $root as onnxProto };'],
  ]);
  const { transform } = await import('esbuild');
  const { code: short } = await transform(module, { minifyWhitespace: true, minifySyntax: true, target: 'es2022' });
  const declared = types.replaceAll(/\bLong\b/g, '$protobuf.Long');
  const target = join(out, 'training', 'graph', 'onnx-proto');
  await writeFile(`${target}.js`, `${notice}${short}`);
  await writeFile(
    `${target}.d.ts`,
    `${notice}${declared}\nexport declare const onnxProto: { readonly onnx: typeof onnx };\n`,
  );
  await rm(`${target}.js.map`, { force: true });
}

/** @throws Error where a text is missing or occurs twice */
function replaced(text: string, replacements: readonly (readonly [from: string, to: string])[]): string {
  return replacements.reduce((whole, [from, to]) => {
    const parts = whole.split(from);
    if (parts.length !== 2) throw new Error(`internal: expected ${from} once, got it ${parts.length - 1} times`);
    return parts.join(to);
  }, text);
}

/** Runs `work` unless it has run for exactly these files. */
async function unlessDone(name: string, inputs: readonly string[], work: () => Promise<void>): Promise<void> {
  const stamp = join(out, `.${name}-stamp`);
  const state = await stateOf(inputs);
  if ((await readFile(stamp, 'utf8').catch(() => '')) === state) return;
  await work();
  await writeFile(stamp, state);
}

async function stateOf(paths: readonly string[]): Promise<string> {
  const states = await Promise.all(
    [...paths].sort().map(async (path) => {
      const { mtimeMs, size } = await stat(path);
      return `${path} ${mtimeMs} ${size}\n`;
    }),
  );
  return createHash('sha256').update(states.join('')).digest('hex');
}

/** Lists the files of a folder, as paths from the working directory. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function typescript(project: string): Promise<void> {
  return new Promise((done, fail) => {
    execFile(process.execPath, [tsc, '-p', project], (error, stdout) => {
      if (error) fail(new CompileError(`${project}: does not compile\n${stdout}`));
      else done();
    });
  });
}
