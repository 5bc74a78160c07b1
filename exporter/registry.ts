/**
 * Writes `worker/models.generated.ts`: static imports of every file of `models/`, because a Worker cannot list a
 * folder. Wrangler runs it before each build; it needs Node and is no part of the Worker.
 *
 *     models/<name>/model.onnx             required
 *     models/<name>/card.json              optional: `description`, `labels`, `version`
 *     models/<name>/batch-statistics.onnx  optional: the twin with `training_mode` 1
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** Names and versions are parts of URLs and of import paths. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const card = z.object({
  version: z.string().regex(NAME).default('1'),
  description: z.string().optional(),
  labels: z.array(z.string()).optional(),
});

interface ModelFolder extends z.output<typeof card> {
  readonly name: string;
  readonly model: string;
  readonly batchStatistics?: string;
}

/**
 * The models in a folder, sorted by name; files beside the model folders are ignored.
 * @throws where there is no model, or one has a name or a card that cannot be served.
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
  const model = join(folder, name, 'model.onnx');
  if (!existsSync(model)) throw new Error(`${join(folder, name)}: expected a file model.onnx, got none`);
  const twin = join(folder, name, 'batch-statistics.onnx');
  return {
    name,
    ...readCard(join(folder, name, 'card.json')),
    model,
    ...(existsSync(twin) && { batchStatistics: twin }),
  };
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

/** The module's text; `from` is the folder it will lie in. The same models give the same bytes. */
export function registrySource(models: readonly ModelFolder[], from: string): string {
  const imports: string[] = [];
  const load = (file: string): string => {
    const name = `file${imports.length}`;
    const path = relative(from, file).replaceAll('\\', '/');
    imports.push(`import ${name} from ${JSON.stringify(path.startsWith('.') ? path : `./${path}`)};`);
    return name;
  };
  const entries = models.map(({ model, batchStatistics, ...about }) => {
    const members = Object.entries(about).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    members.push(`model: ${load(model)}`);
    if (batchStatistics !== undefined) members.push(`batchStatistics: ${load(batchStatistics)}`);
    return `  { ${members.join(', ')} },`;
  });
  return [
    '// Written by exporter/registry.ts from the folder models/.',
    "import type { ModelFiles } from './models.ts';",
    ...imports,
    '',
    'export const modelFiles: readonly ModelFiles[] = [',
    ...entries,
    '];',
    '',
  ].join('\n');
}

/** Leaves the file alone where nothing changed, so that watchers stay quiet. */
export function writeRegistry(modelsFolder: string, file: string): void {
  const source = registrySource(readModels(modelsFolder), join(file, '..'));
  if (!existsSync(file) || readFileSync(file, 'utf8') !== source) writeFileSync(file, source);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = join(import.meta.dirname, '..');
  try {
    writeRegistry(process.env['MODELS_DIR'] ?? join(root, 'models'), join(root, 'worker', 'models.generated.ts'));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
