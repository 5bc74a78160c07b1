/** Describes a build in the words of the command line. */
import { count } from '../../training/files/index.ts';
import type { BuiltImage, BuiltModel } from '../edge/built.ts';
import { tolerance } from '../edge/cases/nearness.ts';
import { comparisonRows } from '../edge/report.ts';
import { plainTable } from './table.ts';

/** Describes what each model costs and how many cases it passed, the size of the image, and how it was checked. */
export function describeBuild(image: BuiltImage): string {
  const { models, bytes, out, stock, unguessed } = image;
  const proof = stock ? '' : `\nchecked: ${describeProof(image)}`;
  const losses = [...models.flatMap(describeLoss), ...describeAssets(out, bytes)];
  const engines = models.flatMap(describeEngine);
  const notes = [...losses, ...engines, ...describeFusion(image), ...unguessed.map(describeUnguessed)];
  return [modelTable(models, stock), ...notes, `${describeSize(image)}${proof}`].join('\n');
}

/** Describes the image in one line. */
export function describeSize({ models, bytes, out, stock, upToDate }: BuiltImage): string {
  const runtime = stock
    ? 'the stock runtime'
    : models.every(isCompiled)
      ? 'no runtime'
      : 'the runtime specialised to them';
  const files = bytes.weights > 0 ? 'image.wasm, image.mjs and weights' : 'image.wasm and image.mjs';
  return `${out}: ${upToDate ? 'up to date' : 'written'}; ${files} are ${kilobytes(bytes.gzip)} gzip, with ${runtime}`;
}

/** Says how to configure Wrangler; without that, requests to such a model get an error. */
function describeAssets(out: string, { assets }: BuiltImage['bytes']): readonly string[] {
  if (assets === 0) return [];
  const needs = `[assets] directory = "${out}/assets", binding = "ASSETS", run_worker_first = true`;
  return [`${kilobytes(assets)} of weights are static assets: wrangler.toml needs ${needs}`];
}

const isCompiled = ({ engine }: BuiltModel): boolean => engine === 'compiled';

/** Says how the image was checked. A program adds in another order than stock, and fused sums are rounded otherwise. */
function describeProof({ models, fusion }: BuiltImage): string {
  const same = 'each case gave the same bits or the same error as stock ONNX Runtime';
  const near = `each case gave the same classes as stock ONNX Runtime, and numbers within ${tolerance} of its largest`;
  if (models.every(isCompiled) || isFused(fusion)) return near;
  return models.some(isCompiled) ? `${same}; of compiled models ${near}` : same;
}

const isFused = (fusion: BuiltImage['fusion']): boolean => fusion !== undefined && 'sums' in fusion;

const describeFusion = ({ fusion }: BuiltImage): readonly string[] =>
  fusion === undefined
    ? []
    : 'sums' in fusion
      ? [`--fma: ${count(fusion.sums)} sums of ONNX Runtime's kernels are fused with their products`]
      : [`--fma: ONNX Runtime's kernels stay as they are: ${fusion.reason}`];

const describeEngine = ({ path, engineReason }: BuiltModel): readonly string[] =>
  engineReason === undefined ? [] : [`${path}: not compiled, ONNX Runtime answers: ${engineReason}`];

/** Says what rounding has cost, first how many samples get another class. */
function describeLoss({ path, weights }: BuiltModel): readonly string[] {
  if (!weights) return [];
  const { type, largestDifference, relativeDifference, samples, changedClasses } = weights;
  const changed =
    changedClasses === undefined ? '' : `${count(changedClasses)} of ${count(samples)} samples get another class, `;
  const questions =
    samples === 0 ? 'made-up inputs alone, as there is no samples.npz' : `${count(samples)} samples and made-up inputs`;
  const size = `${largestDifference.toPrecision(2)}, which is ${(100 * relativeDifference).toPrecision(2)} % of the largest number`;
  return [`${path}: weights as ${type}: ${changed}answers differ by at most ${size} (${questions})`];
}

const describeUnguessed = (session: string): string =>
  `${session}: what it is asked could not be made up, so the image holds all of the runtime; the sizes in "shape" of its inputs in card.json make it small, or, for a model with one input, samples.npz beside model.onnx`;

function modelTable(models: readonly BuiltModel[], stock: boolean): string {
  const table = plainTable(['model', 'version', 'gzip', 'twin', 'cases', 'engine'], ['model', 'twin', 'engine']);
  for (const { name, version, engine, gzipBytes, twin, cases } of models)
    table.push([name, version, kilobytes(gzipBytes), twin ? 'yes' : 'no', stock ? '-' : count(cases), engine]);
  return table.toString();
}

/** Measures the image and the stock runtime. */
export async function compareWithStock(models: string, image: BuiltImage): Promise<string> {
  const table = plainTable(['', 'stock', 'bn-edge']);
  table.push(...(await comparisonRows(models, image)));
  return table.toString();
}

const kilobytes = (bytes: number): string => `${count(Math.ceil(bytes / 1000))} kB`;
