/**
 * Checks that every model with a card is what the card describes: the files are the same to the bit, and the model
 * answers its samples as it did when it was exported. A model from elsewhere without a card is not checked.
 */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { at } from '../../training/arrays/index.ts';
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import { cannotRead, readBytes, releasing, unexpected } from '../../training/files/index.ts';
import { runOverSamples } from '../../training/trainer/index.ts';
import { cardFile, type ModelCard, readCard } from '../store/card.ts';
import { requireIntact } from '../store/intact.ts';
import { modelFileIn } from '../store/models-folder.ts';
import { samplesFile } from '../store/samples.ts';
import type { Files } from '../store/versions.ts';
import { parseSamples } from './samples.ts';

/**
 * The largest difference of an answer from the stored one, relative to the largest answer: the kernels of another
 * machine round otherwise.
 */
const tolerance = 1e-5;

/**
 * @param print receives a line on each model
 * @throws UserError for the first model that is not as its card says
 */
export async function checkModels(models: string, print: (line: string) => void): Promise<void> {
  const backend = await nativeBackend();
  for (const folder of await foldersWithCard(models)) {
    const card = await readCard(models, folder);
    const names = Object.keys(card.files ?? {});
    requireIntact(join(models, folder), await filesIn(join(models, folder), [cardFile, ...names]));
    const files = `${names.length} files as the card says`;
    print(`${folder}: ${[files, await checkAnswers(join(models, folder), card, backend)].join(', ')}`);
  }
}

/** Lists paths below `models`: `<name>` and `<name>/versions/<version>`. */
async function foldersWithCard(models: string): Promise<readonly string[]> {
  const paths = await readdir(models, { recursive: true }).catch((error: unknown) => {
    throw cannotRead(models, error);
  });
  return paths
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /^[^/.][^/]*\/(versions\/[^/.][^/]*\/)?[^/]+$/.test(path) && path.endsWith(`/${cardFile}`))
    .map((path) => dirname(path))
    .sort();
}

const filesIn = async (folder: string, names: readonly string[]): Promise<Files> =>
  new Map(await Promise.all(names.map(async (name) => [name, await readBytes(join(folder, name))] as const)));

/** @throws UserError for the first sample whose answer differs */
async function checkAnswers(folder: string, card: ModelCard, backend: Backend): Promise<string> {
  const { files = {}, inputs = [], output } = card;
  const [input] = inputs;
  if (!files[samplesFile] || !input || !output) return 'no samples to ask it about';
  const path = join(folder, samplesFile);
  const samples = parseSamples(await readBytes(path), path);
  await using session = releasing(await backend.loadSession(await readBytes(join(folder, modelFileIn(folder)))));
  const got = await runOverSamples(session, samples, { input: input.name, output: output.name });
  const difference = largestDifference(folder, samples, got);
  return `the answers to ${samples.count} samples within ${difference === 0 ? '0' : difference.toExponential(1)}`;
}

/** Returns the largest difference, relative to the largest answer. */
function largestDifference(
  where: string,
  { answers, count }: { readonly answers: Float32Array; readonly count: number },
  got: Float32Array,
): number {
  if (got.length !== answers.length) throw unexpected(where, `${answers.length} numbers`, got.length);
  const largest = answers.reduce((max, value) => Math.max(max, Math.abs(value)), 0) || 1;
  const differences = got.map((value, i) => Math.abs(value - at(answers, i)) / largest);
  const wrong = differences.findIndex((difference) => !(difference <= tolerance));
  if (wrong < 0) return differences.reduce((max, difference) => Math.max(max, difference), 0);
  const width = answers.length / count;
  const place = `${where}: sample ${Math.floor(wrong / width)}, number ${wrong % width}`;
  throw unexpected(place, `${at(answers, wrong)}, as ${samplesFile} says`, at(got, wrong));
}
