/**
 * The package `bn-edge`, for programs: data, networks and training, models and images. Modules that take long to load
 * are loaded by the function that needs them.
 */
import type { BackendName } from '../training/index.ts';
import type { Evaluated, EvaluateOptions as RunOptions } from '../training/run/index.ts';
import type { BuildImageOptions as ImageOptions, BuiltImage } from './edge/built.ts';
import type { ExportedCard } from './model/card.ts';
import type { AddedModel, AddModelOptions } from './model/add.ts';
import type { ExportOptions } from './model/export.ts';

export * from '../training/index.ts';
export type { Evaluated } from '../training/run/index.ts';
export type { BuiltImage, BuiltModel } from './edge/built.ts';
export type { ExportedCard } from './model/card.ts';
export type { ModelCard } from './store/card.ts';

export type EvaluateOptions = Omit<RunOptions, 'known' | 'bytes'>;

/**
 * Scores a checkpoint or an ONNX file, as `bn-edge evaluate` does.
 *
 * @throws UserError for a file that cannot be run, or that does not take such samples
 */
export async function evaluate(asked: EvaluateOptions): Promise<Evaluated> {
  const [{ evaluate: score, evaluateOptionsSchema }, { knownOf }, { backendFor, servedFile }, { checked }] =
    await Promise.all([
      import('../training/run/index.ts'),
      import('./store/known.ts'),
      import('./store/served-file.ts'),
      import('../training/files/index.ts'),
    ]);
  const options = checked(evaluateOptionsSchema, asked, 'evaluate');
  const { model } = options;
  if (model === undefined) return score(options);
  const served = await servedFile(model);
  const backend = options.backend ?? backendFor(model, served, () => undefined);
  return score({ ...options, backend, bytes: served.bytes, known: await knownOf(model, served) });
}

export interface ExportModelOptions extends Omit<ExportOptions, 'models'> {
  /** The folder of models. Default: `models`. */
  readonly models?: string | undefined;
  /** The backend that verifies the model. Default: `native`. */
  readonly backend?: BackendName | undefined;
}

/**
 * Turns a checkpoint into a model folder, as `bn-edge export` does.
 *
 * @throws UserError if the checkpoint, the name or the verification fails; a former model is then untouched
 */
export async function exportModel(options: ExportModelOptions): Promise<ExportedCard> {
  const [{ exportModel: write }, { exportOptionsSchema }, { createBackend }, { checked }] = await Promise.all([
    import('./model/export.ts'),
    import('./model/options.ts'),
    import('../training/backend/index.ts'),
    import('../training/files/index.ts'),
  ]);
  const { backend, ...others } = checked(exportOptionsSchema, options, 'exportModel');
  return write(others, await createBackend(backend, {}, () => undefined));
}

/**
 * Puts an ONNX file from elsewhere into a model folder, as `bn-edge add` does.
 *
 * @param options the folder of models is `models` by default
 * @throws UserError for a file that is not ONNX, cannot run, or has the name of an existing model
 */
export async function addModel(options: Partial<AddModelOptions> & Pick<AddModelOptions, 'file'>): Promise<AddedModel> {
  const [{ addModel: add }, { addOptionsSchema }, { checked }] = await Promise.all([
    import('./model/add.ts'),
    import('./model/options.ts'),
    import('../training/files/index.ts'),
  ]);
  return add(checked(addOptionsSchema, options, 'addModel'));
}

export type BuildImageOptions = Partial<ImageOptions>;

/**
 * Compiles a folder of models into one image, as `bn-edge build` does, and proves that it equals the stock runtime.
 *
 * @throws UserError for errors in the folder of models; a former image is then untouched
 */
export async function buildImage({ models = 'models', ...options }: BuildImageOptions = {}): Promise<BuiltImage> {
  const { buildImage: build } = await import('./edge/build-image.ts');
  return build({ models, ...options });
}
