/** Runs one experiment in a process of its own; its only argument is an `OneExperiment` as JSON. */
import { chooseExperiments, runExperiment, saveRecord } from './index.ts';
import { readCard } from '../../exporter/store/card.ts';
import { askWorker } from '../examples/digits/client.ts';

export interface OneExperiment {
  readonly name: string;
  readonly quick: boolean;
  /** The folder of the results. */
  readonly out: string;
  /** The address of the Worker. */
  readonly served: string | undefined;
}

const models = 'models';
const model = 'mnist-cnn';

const { name, quick, out, served } = JSON.parse(process.argv[2] ?? '{}') as OneExperiment;

for (const experiment of chooseExperiments([name])) {
  const record = await runExperiment(experiment, {
    quick,
    models,
    askServed: served === undefined ? undefined : await askServed(served),
    onProgress: (done, total) => process.send?.({ done, total }),
  });
  await saveRecord(out, record);
}

async function askServed(url: string) {
  const { labels = [] } = await readCard(models, model);
  const ask = askWorker({ url, name: model, inputShape: [1, 28, 28], labels });
  return async (images: readonly Uint8Array[], statistics: 'running' | 'batch') =>
    (await ask(images, statistics)).map(({ logits }) => logits);
}
