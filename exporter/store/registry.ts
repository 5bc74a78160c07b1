/**
 * Prepares what the Worker is built from, because it can neither list a folder nor look into an ONNX file. Wrangler runs
 * this before each build; it needs Node and is no part of the Worker.
 *
 *     models/<name>/model.onnx            required: from this project or from anywhere else
 *     models/<name>/card.json             optional: what is known of it (see card.ts)
 *     models/<name>/versions/<version>/   optional: another version, the same two files
 *
 *     dist/models/<name>/model.onnx       the same bytes, once the runtime has been seen to run them
 *     dist/models/<name>/switchable.onnx  where it has Batch Norm: the network with a switch at every such layer
 *     dist/models/<name>/versions/…       the same for the other versions
 *     worker/models.generated.ts          what is known of each model; the edge image holds the files (see edge/)
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BatchNormLayer } from '../served/batch-norm.ts';
import type { PicturePreparation } from '../../training/pictures/index.ts';
import { cardFile, emptyCard, type ModelCard, parseCard } from './card.ts';
import { isModelName } from './model-name.ts';
import { prepareModel } from '../served/prepare.ts';
import { requireRunnable } from '../served/runnable.ts';
import { switchName } from '../served/switchable.ts';

interface ModelFolder extends Pick<ModelCard, 'version' | 'description' | 'labels'> {
  readonly name: string;
  /** How its training pictures were prepared. */
  readonly picture?: PicturePreparation;
  /** Below the folder of models: `<name>`, or `<name>/versions/<version>`. */
  readonly path: string;
  readonly batchNorm: readonly BatchNormLayer[];
  /** Contents of the ONNX files that the edge image is made of. */
  readonly files: { readonly model: Uint8Array; readonly switchable?: Uint8Array };
}

/**
 * The models in a folder, sorted by name, each followed by its other versions; files beside the folders are ignored.
 * @throws where there is no model, or one has a name, a version, a card or tensors that cannot be served.
 */
export function readModels(folder: string): ModelFolder[] {
  const names = foldersIn(folder);
  if (names.length === 0) throw new Error(`${folder}: expected at least one model folder, got none`);
  return names.flatMap((name) => {
    const current = readModel(folder, name, name);
    return [current, ...readVersions(folder, current)];
  });
}

function readVersions(folder: string, { name, version: current }: ModelFolder): ModelFolder[] {
  return foldersIn(join(folder, name, 'versions')).map((version) => {
    const path = `${name}/versions/${version}`;
    const model = readModel(folder, name, path);
    if (model.version !== version)
      throw new Error(`${join(folder, path)}/card.json: expected version ${version}, got ${model.version}`);
    if (version === current)
      throw new Error(`${join(folder, path)}: expected a version besides the current one, got it again`);
    return model;
  });
}

function foldersIn(folder: string): string[] {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const wrong = names.find((name) => !isModelName(name));
  if (wrong === undefined) return names.sort();
  throw new Error(
    `${folder}: expected folder names of letters, digits, '.', '_' and '-', got ${JSON.stringify(wrong)}`,
  );
}

function readModel(models: string, name: string, path: string): ModelFolder {
  const folder = join(models, path);
  const file = join(folder, 'model.onnx');
  if (!existsSync(file)) throw new Error(`${folder}: expected a file model.onnx, got none`);
  const { version, description, labels, inputs = [] } = cardIn(folder);
  const [picture] = inputs.flatMap((input) => input.picture ?? []);
  const model = readFileSync(file);
  const { batchNorm, switchable } = prepareModel(file, model);
  return {
    name,
    path,
    version,
    ...(description !== undefined && { description }),
    ...(labels && { labels }),
    ...(picture && { picture }),
    batchNorm,
    files: { model, ...(switchable && { switchable }) },
  };
}

function cardIn(folder: string): ModelCard {
  const file = join(folder, cardFile);
  return existsSync(file) ? parseCard(file, readFileSync(file)) : emptyCard;
}

/** The module's text. The same models give the same bytes. */
export function registrySource(models: readonly ModelFolder[]): string {
  const entries = models.map(({ files: _, ...about }) => {
    const members = Object.entries(about).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    return `  { ${members.join(', ')} },`;
  });
  return [
    '// Written by exporter/store/registry.ts from the folder models/.',
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
  for (const { path, files } of models) {
    for (const [file, bytes] of Object.entries(files)) {
      const target = join(servedFolder, path, `${file}.onnx`);
      if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
      await requireRunnable(join(modelsFolder, path, `${file}.onnx`), bytes);
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
    models.flatMap(({ path, files }) => Object.keys(files).map((file) => join(path, `${file}.onnx`))),
  );
  for (const path of readdirSync(servedFolder, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.onnx') && !kept.has(path)) rmSync(join(servedFolder, path));
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = join(import.meta.dirname, '../..');
  const models = process.env['MODELS_DIR'] ?? join(root, 'models');
  try {
    await writeRegistry(models, join(root, 'worker/models.generated.ts'), join(root, 'dist/models'));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
