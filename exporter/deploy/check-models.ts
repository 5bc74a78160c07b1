/**
 * `npm run deploy` runs this first: every model in models/ that has a card is the file the card describes, and answers as it
 * says. A model from elsewhere has none and is not checked.
 */
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Backend, nativeBackend } from '../../training/backend/index.ts';
import { loadSource } from '../../training/data/index.ts';
import { readBytes, unexpected, UserError } from '../../training/files/index.ts';
import { formatScore, reportOn } from '../../training/objective/index.ts';
import { describeFile, type ModelCard, objectiveOfCard } from '../model/card.ts';
import { readCard } from '../model/export.ts';
import { runOverDataset } from '../model/run-model.ts';

const models = 'models';

async function checkModels(): Promise<void> {
  const backend = await nativeBackend();
  for (const path of globSync(['*/card.json', '*/versions/*/card.json'], { cwd: models }).sort()) {
    const folder = dirname(path);
    const card = await readCard(models, folder);
    await checkFiles(folder, card);
    console.log(`${folder}: the files of the card, ${await checkScore(folder, card, backend)}`);
  }
}

/** @throws UserError for a file that is missing, or not the one that was verified when it was exported */
async function checkFiles(folder: string, { files }: ModelCard): Promise<void> {
  for (const [file, { sha256 }] of Object.entries(files)) {
    const path = join(models, folder, file);
    const found = describeFile(await readBytes(path)).sha256;
    if (found !== sha256) throw unexpected(path, `sha256 ${sha256}, as the card says`, found);
  }
}

/**
 * @returns what was found
 * @throws UserError when the score on the test set is not the card's
 */
async function checkScore(folder: string, card: ModelCard, backend: Backend): Promise<string> {
  const { inputs, outputs, scores, statistics, training } = card;
  const { path } = training?.data.source ?? {};
  if (!training || (path !== undefined && !existsSync(path))) return 'without its data';
  const { test } = await loadSource(training.data.source ?? {}, training.config.seed);
  const session = await backend.loadSession(await readBytes(join(models, folder, 'model.onnx')));
  const output = await runOverDataset(session, test, inputs[0]?.name ?? '', outputs[0]?.name ?? '');
  await session.release();
  const { metrics } = reportOn(test, output, objectiveOfCard(card));
  const [found = NaN, stated] = [metrics[scores.name], scores.test[statistics]];
  if (!(Math.abs(found - stated) <= tolerance * stated))
    throw unexpected(`${models}/${folder}`, `a test score of ${stated}`, found);
  return `test ${scores.name} ${formatScore(scores.name, found)}`;
}

/** Of an accuracy it allows none; errors are rounded otherwise by another machine's kernels. */
const tolerance = 1e-6;

try {
  await checkModels();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
