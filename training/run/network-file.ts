/**
 * Loads networks from the user's files: TypeScript, JavaScript in either module system, or JSON, from any folder.
 * esbuild bundles code into one module in memory, so that the user needs no TypeScript and no files are written.
 */
import { build, type Message, type Plugin } from 'esbuild';
import { isBuiltin, SourceMap } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { oneLine, parseJson, readBytes, siblingModule, UserError } from '../files/index.ts';

/** The package's name, which resolves to the running code, wherever it is installed. */
const ourselves = 'bn-edge';

interface Bundle {
  readonly code: string;
  readonly map: string;
}

/**
 * Returns the default export, or the value of a JSON file.
 *
 * @throws UserError in one line, with the position in the file where it is known
 */
export async function loadNetworkFile(file: string): Promise<unknown> {
  const content = await readBytes(file);
  if (file.endsWith('.json')) return parseJson(new TextDecoder().decode(content), file);
  return run(file, await bundle(file));
}

async function bundle(file: string): Promise<Bundle> {
  const path = resolve(file);
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      outfile: 'network.mjs',
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: `node${process.versions.node}`,
      sourcemap: 'external',
      sourcesContent: false,
      define: { 'import.meta.url': JSON.stringify(pathToFileURL(path).href) },
      // A tsconfig.json around the file belongs to another project.
      tsconfigRaw: {},
      logLevel: 'silent',
      plugins: [packages(await namesOfThisPackage())],
    });
    const text = (ending: string) => outputFiles.find((output) => output.path.endsWith(ending))?.text ?? '';
    return { code: text('.mjs'), map: text('.map') };
  } catch (error) {
    const [first] = (error as { readonly errors?: readonly Message[] }).errors ?? [];
    throw first ? located(file, first) : cannotLoad(file, error);
  }
}

async function run(file: string, { code, map }: Bundle): Promise<unknown> {
  const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
  try {
    return ((await import(url)) as { readonly default?: unknown }).default;
  } catch (error) {
    throw cannotLoad(placeOf(file, error, map), error);
  }
}

/**
 * Keeps imports of packages as imports, resolved from the file's folder, except that this package is the running one.
 */
const packages = (names: readonly string[]): Plugin => ({
  name: 'packages',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^./#]/ }, async ({ path, kind, importer, namespace, pluginData, resolveDir }) => {
      if (kind === 'entry-point' || pluginData === ourselves) return undefined;
      if (isBuiltin(path) || namespace === ourselves) return { path, external: true };
      if (path === ourselves) return { path, namespace: ourselves };
      const found = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: ourselves });
      const isImportable = kind !== 'require-call' && /\.[cm]?js$/.test(found.path);
      return isImportable ? { path: pathToFileURL(found.path).href, external: true } : found;
    });
    bundler.onLoad({ filter: /./, namespace: ourselves }, () => ({
      contents: `export { ${names.join(', ')} } from ${JSON.stringify(thisPackage.href)};`,
    }));
  },
});

/** The entry point that programs import. It is above this module and not part of it. */
const thisPackage = siblingModule(import.meta.url, '../index');

const namesOfThisPackage = async (): Promise<readonly string[]> =>
  Object.keys((await import(thisPackage.href)) as object);

/**
 * Returns the position in the file, or in one that it imports, where an error occurred; only the file where the error
 * does not name it.
 */
function placeOf(file: string, error: unknown, map: string): string {
  const [, line, column] = /data:text\/javascript;base64,[^:\s]+:(\d+):(\d+)/.exec(stackOf(error)) ?? [];
  if (line === undefined || column === undefined) return file;
  const entry = new SourceMap(JSON.parse(map) as SourceMap['payload']).findEntry(Number(line) - 1, Number(column) - 1);
  if (!('originalSource' in entry)) return file;
  return place(file, entry.originalSource, entry.originalLine + 1, entry.originalColumn + 1);
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? '') : '');

function located(file: string, { location, text }: Message): UserError {
  const where = location ? place(file, location.file, location.line, location.column + 1) : file;
  return new UserError(oneLine(`${where}: ${text}`));
}

/** Formats a position, with the file under the name that the user gave. */
const place = (file: string, source: string, line: number, column: number): string =>
  `${resolve(source) === resolve(file) ? file : source}:${line}:${column}`;

function cannotLoad(where: string, error: unknown): UserError {
  const [reason = ''] = String(error).split('\n');
  return new UserError(oneLine(`${where}: cannot load: ${reason}`), { cause: error });
}
