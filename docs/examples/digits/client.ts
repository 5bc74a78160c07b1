/** Asks the Worker over HTTP, in the Open Inference Protocol. */
import { z } from 'zod';
import type { NodeStatistics } from '../../../exporter/model/inference-graph.ts';

export interface Answer {
  /** The most probable class. */
  readonly label: string;
  /** Its probability, in [0, 1]. */
  readonly probability: number;
  readonly logits: Float32Array;
}

/** Asks for one answer per image. The images share one request, and so one mini-batch. */
export type Ask = (images: readonly Uint8Array[], statistics: NodeStatistics) => Promise<readonly Answer[]>;

const responseSchema = z.object({
  outputs: z.tuple([z.object({ shape: z.tuple([z.number(), z.number()]), data: z.array(z.number()) })]),
});

export interface ServedModel {
  readonly url: string;
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly labels: readonly string[];
}

/** Returns a function that asks a served model. Its images are raw pixels 0–255, each of the model's input shape. */
export function askWorker({ url, name, inputShape, labels }: ServedModel): Ask {
  return async (images, statistics) => {
    const response = await fetch(`${url}/v2/models/${name}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        inputs: [
          {
            name: 'pixels',
            datatype: 'FP32',
            shape: [images.length, ...inputShape],
            data: images.flatMap((image) => [...image]),
          },
        ],
        parameters: { statistics },
      }),
    });
    if (!response.ok) throw new Error(`${name}: expected an answer, got ${response.status}: ${await response.text()}`);
    const { outputs } = responseSchema.parse(await response.json());
    const [{ shape, data }] = outputs;
    return images.map((_, i) => toAnswer(Float32Array.from(data.slice(i * shape[1], (i + 1) * shape[1])), labels));
  };
}

function toAnswer(logits: Float32Array, labels: readonly string[]): Answer {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const best = logits.indexOf(largest);
  return {
    label: labels[best] ?? String(best),
    probability: 1 / exponentials.reduce((sum, value) => sum + value, 0),
    logits,
  };
}
