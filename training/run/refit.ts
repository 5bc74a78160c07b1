/**
 * Trains a network that also learns from the validation part, for as long as a search with other networks has shown to
 * be best.
 */
import { batchesOf, type Dataset, joined, type LoadedData, subset } from '../data/index.ts';
import type { Plan } from '../network/index.ts';
import type { RunReporter } from './reporter.ts';
import type { Run, RunFolder } from './run-folder.ts';
import { findLength, type FoundLength, type SearchOptions } from './cross-validation.ts';
import { Trials } from './stored-trials.ts';

interface Refit {
  readonly run: Run;
  readonly data: LoadedData;
  readonly found: FoundLength;
}

/**
 * Searches for the length of training, and returns the run that uses it.
 *
 * @param folds the number of folds, as in `findLength`
 * @param folder of the run, where the networks of the search are kept
 * @throws what `findLength` throws
 */
export async function refitAfterSearch(
  folds: number,
  folder: RunFolder,
  { run, ...options }: Omit<SearchOptions, 'config' | 'trials'> & { readonly run: Run },
  reporter: RunReporter,
): Promise<Refit> {
  const { config } = run.description;
  const trials = new Trials(folder, run, { folds, from: options.tensors });
  const found = await findLength(folds, { ...options, config, trials }, reporter);
  const { data } = options;
  const train = joined(data.train, data.validation);
  const plan = await options.planFor(train);
  const stepsPerEpoch = batchesOf(train.count, config.batchSize);
  const { earlyStopping: _, timeLimit, ...others } = config;
  const length = {
    ...(timeLimit !== undefined && { timeLimit: timeLimit / (folds + 1) }),
    epochs: Math.ceil(found.stopAfter / stepsPerEpoch),
    steps: found.steps,
    stopAfter: found.stopAfter,
    keep: 'last' as const,
  };
  return {
    run: refitted(run, plan, { ...others, ...length }, stepsPerEpoch),
    data: { ...data, train, validation: withoutSamples(data.validation) },
    found,
  };
}

/**
 * Returns the run with the new configuration. The data are the same: the configuration records that the network learns
 * from two of their parts.
 */
const refitted = (run: Run, plan: Plan, config: Run['description']['config'], stepsPerEpoch: number): Run => ({
  ...run,
  plan,
  description: { ...run.description, network: plan.network, config },
  stepsPerEpoch,
});

const withoutSamples = (dataset: Dataset): Dataset => subset(dataset, new Int32Array());
