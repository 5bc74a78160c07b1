/**
 * Counts inferences, which Triton's tools ask for before and after they load a server.
 * https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_statistics.md
 */
import type { Model } from '../models.ts';
import type { ModelStatistics } from './responses.ts';

/** Counts since the isolate started. Isolates come and go, and do not share their counts. */
export interface Counts {
  /** The time of the last inference, in milliseconds since 1970; 0 before the first. */
  last: number;
  /** Counts the samples that were answered. */
  inferences: number;
  /** Counts the requests that were answered, each in one run of the network. */
  executions: number;
  failures: number;
}

export const noCounts = (): Counts => ({ last: 0, inferences: 0, executions: 0, failures: 0 });

/**
 * Calls `run` and counts its outcome.
 * @throws whatever `run` throws, which counts as a failure
 */
export async function counting<Result extends { readonly samples: number }>(
  counts: Counts,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await run();
    counts.inferences += result.samples;
    counts.executions++;
    counts.last = Date.now();
    return result;
  } catch (error) {
    counts.failures++;
    throw error;
  }
}

/** Reports the counts. Durations are 0, because the clock of a Worker stands still while it computes. */
export function statisticsOf({ name, version, counts }: Pick<Model, 'name' | 'version' | 'counts'>): ModelStatistics {
  const { last, inferences, executions, failures } = counts;
  const took = (count: number): ModelStatistics['inference_stats']['success'] => ({ count, ns: 0 });
  return {
    name,
    version,
    last_inference: last,
    inference_count: inferences,
    execution_count: executions,
    inference_stats: {
      success: took(executions),
      fail: took(failures),
      queue: took(executions),
      compute_input: took(executions),
      compute_infer: took(executions),
      compute_output: took(executions),
    },
    batch_stats: [],
  };
}
