/**
 * `npm run deploy` runs this first: every model in models/ that has a card is the file the card describes, and answers as it
 * says. A model from elsewhere has none and is not checked.
 */
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Backend, nativeBackend } from '../training/backend/index.ts';
import { percent } from '../training/cli/index.ts';
import { loadMnist } from '../training/data/index.ts';
import { unexpected, UserError } from '../training/errors.ts';
import { readBytes } from '../training/files.ts';
import { describeFile, type ModelCard } from './card.ts';
import { readCard } from './export.ts';
import { outputName } from './graph.ts';
import { runOverDataset } from './run-model.ts';
import { argmax } from './verify.ts';

const models = 'models';

async function checkModels(): Promise<void> {
  const backend = await nativeBackend();
  for (const path of globSync(['*/card.json', '*/versions/*/card.json'], { cwd: models }).sort()) {
    const folder = dirname(path);
    const card = await readCard(models, folder);
    await checkFiles(folder, card);
    console.log(
      `${folder}: the files of the card, test accuracy ${percent(await checkAccuracy(folder, card, backend))}`,
    );
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

/** @throws UserError when the test accuracy is not the card's */
async function checkAccuracy(
  folder: string,
  { inputs, accuracy, statistics }: ModelCard,
  backend: Backend,
): Promise<number> {
  const { test } = await loadMnist({ seed: 0 });
  const session = await backend.loadSession(await readBytes(join(models, folder, 'model.onnx')));
  const logits = await runOverDataset(session, test, inputs[0]?.name ?? '', outputName);
  await session.release();
  const classes = logits.length / test.count;
  const right = test.labels.filter(
    (label, i) => argmax(logits.subarray(i * classes, (i + 1) * classes)) === label,
  ).length;
  const [found, stated] = [right / test.count, accuracy.test[statistics]];
  if (Math.abs(found - stated) > 1e-9) throw unexpected(`${models}/${folder}`, `a test accuracy of ${stated}`, found);
  return found;
}

try {
  await checkModels();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
