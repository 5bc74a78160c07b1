/** Asks the Worker, at the page's own address, about a mini-batch of pictures. Its documents: `openapi.json`. */
import { keyHeader, KeyRequired } from './key.ts';
import type { Pixels } from './pixels.ts';

const MODEL = 'mnist-cnn';
const CLASSES = 10;
const BINS = 28;

/** `running`: of the training set, fixed. `batch`: of the pictures that share the request. */
export type Statistics = 'running' | 'batch';

interface Prediction {
  readonly label: string;
  readonly top: readonly { readonly index: number; readonly probability: number }[];
}

/** The values of one sample in every channel. */
export interface Values {
  readonly mean: readonly number[];
  readonly minimum: readonly number[];
  readonly maximum: readonly number[];
  /** `[channel][bin]`: bins of equal width from `minimum` to `maximum`. */
  readonly counts: readonly (readonly number[])[];
}

/** One sample on its way through a Batch Norm layer. */
export interface Passage {
  /** μ and σ², by which every channel is normalized. */
  readonly mean: readonly number[];
  readonly variance: readonly number[];
  readonly z: Values;
  readonly z_tilde: Values;
}

export interface Layer extends Readonly<Record<Statistics, Passage>> {
  readonly name: string;
  readonly channels: number;
  /** Of one sample: `[channels]` or `[channels, rows, columns]`. */
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
}

export interface Explanation {
  readonly batch_size: number;
  readonly predictions: Readonly<Record<Statistics, Prediction>>;
  readonly layers: readonly Layer[];
}

/** The first picture of a mini-batch, by both kinds of statistics. */
export async function explain(batch: readonly Pixels[]): Promise<Explanation> {
  return (await post('explain', batch, { sample: '0', bins: String(BINS), top_k: String(CLASSES) })) as Explanation;
}

/** The label of every picture of a mini-batch. */
export async function classify(batch: readonly Pixels[], statistics: Statistics): Promise<string[]> {
  const answer = (await post('classify', batch, { statistics, top_k: '1' })) as { predictions: readonly Prediction[] };
  return answer.predictions.map(({ label }) => label);
}

/** The probability of each class, in the order of the classes. */
export function probabilities({ top }: Prediction): number[] {
  const shares = new Array<number>(CLASSES).fill(0);
  for (const { index, probability } of top) shares[index] = probability;
  return shares;
}

async function post(
  action: string,
  batch: readonly Pixels[],
  options: Readonly<Record<string, string>>,
): Promise<unknown> {
  const query = new URLSearchParams(options);
  const response = await fetch(`v2/models/${MODEL}/${action}?${query.toString()}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', ...keyHeader() },
    body: new Blob([...batch]),
  });
  if (response.ok) return response.json();
  if (response.status === 401) throw new KeyRequired('This Worker asks for its API key.');
  const { error } = (await response.json().catch(() => ({ error: response.statusText }))) as { error: string };
  // This page is about one model, which another Worker than the example's need not serve.
  throw new Error(response.status === 404 ? `This page looks into ${MODEL}, built to explain itself. ${error}` : error);
}
