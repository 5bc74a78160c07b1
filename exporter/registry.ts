/**
 * Prepares what the Worker is built from, because it can neither list a folder nor look into an ONNX file. Wrangler runs
 * this before each build; it needs Node and is no part of the Worker.
 *
 *     models/<name>/model.onnx            required: from this project or from anywhere else
 *     models/<name>/card.json             optional: `description`, `labels`, `version`
 *
 *     dist/models/<name>/model.onnx       the same bytes, once the runtime has been seen to run them
 *     dist/models/<name>/switchable.onnx  where it has Batch Norm: the network with a switch at every such layer
 *     worker/models.generated.ts          what is known of each model; the edge image holds the files (see edge/)
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type BatchNormLayer, batchNormLayers } from './served/batch-norm.ts';
import { decodeOnnx } from './served/onnx-file.ts';
import { requireNumbers, requireRunnable } from './served/runnable.ts';
import { switchable, switchName } from './served/switchable.ts';

/** Names and versions are parts of URLs and of import paths. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const card = z.object({
  version: z.string().regex(NAME).default('1'),
  description: z.string().optional(),
  labels: z.array(z.string()).optional(),
});

interface ModelFolder extends z.output<typeof card> {
  readonly name: string;
  readonly batchNorm: readonly BatchNormLayer[];
  /** Contents of the ONNX files that the edge image is made of. */
  readonly files: { readonly model: Uint8Array; readonly switchable?: Uint8Array };
}

/**
 * The models in a folder, sorted by name; files beside the model folders are ignored.
 * @throws where there is no model, or one has a name, a card or tensors that cannot be served.
 */
export function readModels(folder: string): ModelFolder[] {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (names.length === 0) throw new Error(`${folder}: expected at least one model folder, got none`);
  return names.sort().map((name) => readModel(folder, name));
}

function readModel(folder: string, name: string): ModelFolder {
  if (!NAME.test(name))
    throw new Error(`${folder}: expected a folder name matching ${NAME}, got ${JSON.stringify(name)}`);
  const file = join(folder, name, 'model.onnx');
  if (!existsSync(file)) throw new Error(`${join(folder, name)}: expected a file model.onnx, got none`);
  const about = readCard(join(folder, name, 'card.json'));
  const model = readFileSync(file);
  const decoded = decodeOnnx(file, model);
  const graph = decoded.graph ?? {};
  requireNumbers(file, graph);
  const batchNorm = batchNormLayers(graph);
  const twin = switchable(decoded, batchNorm);
  return { name, ...about, batchNorm, files: { model, ...(twin && { switchable: twin }) } };
}

function readCard(file: string): z.output<typeof card> {
  if (!existsSync(file)) return card.parse({});
  try {
    return card.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`${file}: expected a model card, got ${reason.replaceAll('\n', ' ')}`, { cause: error });
  }
}

/** The module's text. The same models give the same bytes. */
export function registrySource(models: readonly ModelFolder[]): string {
  const entries = models.map(({ files: _, ...about }) => {
    const members = Object.entries(about).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    return `  { ${members.join(', ')} },`;
  });
  return [
    '// Written by exporter/registry.ts from the folder models/.',
    "import type { ModelAbout } from './models.ts';",
    '',
    '/** The input of every `switchable` file: true for the statistics of the mini-batch. */',
    `export const switchName = ${JSON.stringify(switchName)};`,
    '',
    'export const modelsAbout: readonly ModelAbout[] = [',
    ...entries,
    '];',
    '',
  ].join('\n');
}

/**
 * Leaves a file alone where nothing changed, so that watchers stay quiet and no model is tried twice.
 * @throws where the runtime lacks an operator of a model
 */
export async function writeRegistry(modelsFolder: string, module: string, servedFolder: string): Promise<void> {
  const models = readModels(modelsFolder);
  for (const { name, files } of models) {
    for (const [file, bytes] of Object.entries(files)) {
      const target = join(servedFolder, name, `${file}.onnx`);
      if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
      await requireRunnable(join(modelsFolder, name, `${file}.onnx`), bytes);
      write(target, bytes);
    }
  }
  removeOthers(servedFolder, models);
  const source = registrySource(models);
  if (!existsSync(module) || readFileSync(module, 'utf8') !== source) write(module, source);
}

function write(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** What is left of models that are gone. */
function removeOthers(servedFolder: string, models: readonly ModelFolder[]): void {
  const kept = new Set(
    models.flatMap(({ name, files }) => Object.keys(files).map((file) => join(name, `${file}.onnx`))),
  );
  for (const path of readdirSync(servedFolder, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.onnx') && !kept.has(path)) rmSync(join(servedFolder, path));
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = join(import.meta.dirname, '..');
  const models = process.env['MODELS_DIR'] ?? join(root, 'models');
  try {
    await writeRegistry(models, join(root, 'worker/models.generated.ts'), join(root, 'dist/models'));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
