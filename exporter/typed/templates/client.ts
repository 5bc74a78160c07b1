// <models>
import type { Answer, Predictor, PredictOptions } from '../../../worker/image.ts';

type Models = object;
const standardUrl: string = '';
const predictors = (_server: Server): Models => ({ rows, pictures });
// </models>

/** Thrown if a sample does not fit the model, or the server does not answer. */
export class PredictError extends Error {
  override readonly name = 'PredictError';
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface ConnectOptions {
  /** The key of a server that requires one. */
  readonly key?: string;
  /** Replaces the host's `fetch`, for example by that of a service binding: `env.MODELS.fetch.bind(env.MODELS)`. */
  readonly fetch?: typeof fetch;
}

/**
 * Returns the models of a server.
 *
 * @param url with the path under which they are mounted
 */
export function connect(url: string = standardUrl, options: ConnectOptions = {}): Models {
  return predictors({ url: url.replace(/\/+$/, ''), ...options });
}

interface Server extends ConnectOptions {
  readonly url: string;
}

/** The bytes of a PNG or JPEG file. */
export type PictureFile = Uint8Array<ArrayBuffer> | ArrayBuffer | Blob;

// <rows>
/** The maximum number of samples in a request, unless the server is configured otherwise. */
const max = 256;

/** @param shape of one sample, for a model of plain numbers */
function rows<Sample, Told>(
  server: Server,
  name: string,
  version: string,
  shape?: readonly number[],
): Predictor<Sample, Told> {
  const path = `/v1/models/${encodeURIComponent(name)}:predict`;
  const ask = async (samples: readonly Sample[], parameters?: PredictOptions): Promise<readonly Answer<Told>[]> => {
    const instances = shape ? samples.map((sample) => nested(Array.from(sample as ArrayLike<number>), shape)) : samples;
    const body = JSON.stringify({ instances, ...(parameters && { parameters }) }, finite);
    const answer = await post(server, path, 'application/json', body);
    return (answer as { readonly predictions: readonly Answer<Told>[] }).predictions;
  };
  const predictMany = async (samples: readonly Sample[], options?: PredictOptions) => {
    const answers: Answer<Told>[] = [];
    for (let at = 0; at < samples.length; at += max) {
      answers.push(...(await ask(samples.slice(at, at + max), options)));
    }
    return answers;
  };
  return { name, version, predict: async (sample, options) => only(await predictMany([sample], options)), predictMany };
}

/** Refuses NaN and infinities: JSON would have null for them, which is a missing value. */
function finite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new PredictError(`${JSON.stringify(key)}: expected a number, or null for a missing one, got ${value}`);
}

/** Nests numbers in arrays. Those that JSON cannot express become texts. */
function nested(values: readonly number[], [first = 1, ...others]: readonly number[]): unknown {
  if (others.length === 0) return values.map((value) => (Number.isFinite(value) ? value : String(value)));
  const size = values.length / first;
  return Array.from({ length: first }, (_, i) => nested(values.slice(i * size, (i + 1) * size), others));
}

// </rows>

// <pictures>
interface Classified {
  readonly label: string | null;
  readonly probability: number | null;
  readonly labels?: readonly string[] | null;
  readonly top: readonly { readonly label: string; readonly probability: number | null }[];
  readonly warnings?: readonly string[];
}

function pictures<Told>(server: Server, name: string, version: string): Predictor<PictureFile, Told> {
  const path = `/v2/models/${encodeURIComponent(name)}/classify?top_k=1000`;
  const predict = async (sample: PictureFile): Promise<Answer<Told>> => {
    const body = sample instanceof Blob ? await sample.arrayBuffer() : sample;
    const answer = await post(server, path, 'application/octet-stream', body);
    const { top, label, probability, labels, warnings } = only((answer as { predictions: Classified[] }).predictions);
    const all = Object.fromEntries(top.map((one) => [one.label, one.probability]));
    const told = labels !== undefined ? { labels } : { label, probability };
    return { ...told, ...(top.length > 0 && { probabilities: all }), ...(warnings && { warnings }) } as Answer<Told>;
  };
  const predictMany = async (samples: readonly PictureFile[]) => {
    const answers: Answer<Told>[] = [];
    for (const sample of samples) answers.push(await predict(sample));
    return answers;
  };
  return { name, version, predict, predictMany };
}

// </pictures>

function only<T>([first]: readonly T[]): T {
  if (first === undefined) throw new PredictError('expected an answer, got none');
  return first;
}

async function post(
  server: Server,
  path: string,
  type: string,
  body: string | ArrayBuffer | Uint8Array<ArrayBuffer>,
): Promise<unknown> {
  const headers = { 'content-type': type, ...(server.key !== undefined && { authorization: `Bearer ${server.key}` }) };
  const send = server.fetch ?? fetch;
  const response = await send(server.url + path, { method: 'POST', headers, body }).catch((error: unknown) => {
    throw new PredictError(`${server.url}: expected an answer, got none`, undefined, { cause: error });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const { error = `${server.url}: expected JSON, got another answer` } = (answer ?? {}) as { readonly error?: string };
  throw new PredictError(error, response.status);
}
