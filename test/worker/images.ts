/** Images without a build: each model returns its input `x` as its output `y`. */
import type { PicturePreparation } from '../../training/pictures/index.ts';
import { checkDocumented, type Document, parsed } from './document.ts';
import type {
  BatchNormLayer,
  Column,
  Session,
  Tensor,
  Image,
  ModelAbout,
  OutputKind,
  Unknown,
  WorkerHandler,
} from '../../worker/create-worker.ts';

/** The card's fields on how answers are read, and how good they are. */
type Quality = Partial<Pick<ModelAbout, 'threshold' | 'interval' | 'calibration' | 'importance' | 'monitor'>>;

export interface Echo extends Quality {
  readonly name: string;
  readonly version?: string;
  /** The shape of `x` and `y`; the first dimension is the batch. */
  readonly shape?: readonly (number | string)[];
  readonly kind?: OutputKind;
  readonly labels?: readonly string[];
  readonly picture?: PicturePreparation;
  /** The columns of the rows in `x`. */
  readonly columns?: readonly Column[];
  /** The card's rule for unknown names and values of a row. */
  readonly unknown?: Unknown;
  /** The card's `explain`. */
  readonly explain?: boolean;
  /** Is true when the switchable twin exists. The default is the card's `explain`. */
  readonly twin?: boolean;
  readonly batchNorm?: readonly BatchNormLayer[];
  readonly ofBatch?: NonNullable<ModelAbout['ofBatch']>;
  readonly remarks?: readonly string[];
  readonly noTwin?: string;
  readonly monitor?: NonNullable<ModelAbout['monitor']>;
  /** Runs the watched session; by default there is none. */
  readonly watched?: Session['run'];
  /** Replaces the echo. */
  readonly run?: Session['run'];
}

export const layer: BatchNormLayer = {
  name: 'norm',
  input: 'x',
  output: 'y',
  epsilon: 1e-5,
  momentum: 0.9,
  gamma: [1, 1],
  beta: [0, 0],
  runningMean: [0, 0],
  runningVar: [1, 1],
};

export function imageOf(...echoes: readonly Echo[]): Image {
  const models = echoes.map(aboutOf);
  const sessions = echoes.flatMap((echo, i): [string, Session][] => {
    const path = models[i]?.path ?? '';
    const session = sessionOf(echo);
    const twin: [string, Session][] = (echo.twin ?? echo.explain) ? [[`${path}/switchable`, session]] : [];
    const { watched: run } = echo;
    const watched: [string, Session][] = run ? [[`${path}/watched`, { ...session, run }]] : [];
    return [[`${path}/model`, session], ...twin, ...watched];
  });
  return { models, sessions: new Map(sessions), switchName: 'switch' };
}

function aboutOf(echo: Echo): ModelAbout {
  const {
    name,
    version = '1',
    kind,
    labels,
    picture,
    columns,
    unknown,
    explain = false,
    batchNorm = [],
    ofBatch,
    remarks,
    noTwin,
    ...more
  } = echo;
  const { shape: _shape, twin: _twin, run: _run, watched: _watched, ...quality } = more;
  return {
    name,
    path: name,
    version,
    ...(labels && { labels }),
    ...(picture && { picture }),
    ...(columns && { columns: { x: columns } }),
    ...(unknown && { unknown }),
    ...(kind && { output: { name: 'y', kind } }),
    explain,
    batchNorm,
    ...(ofBatch && { ofBatch }),
    ...(remarks && { remarks }),
    ...(noTwin !== undefined && { noTwin }),
    ...quality,
  };
}

function sessionOf({ name, shape = ['N', 2], run }: Echo): Session {
  const tensor = { dtype: 'float32', shape } as const;
  return {
    name: `${name}/model`,
    inputs: [{ name: 'x', ...tensor }],
    outputs: [{ name: 'y', ...tensor }],
    run: run ?? (({ x }, names = ['y']) => Object.fromEntries(names.map((output) => [output, copyOf(x)]))),
  };
}

function copyOf(tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new Error('internal: no feed x');
  return { ...tensor, data: Float32Array.from(tensor.data as ArrayLike<number>) };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the answer is not JSON. */
  readonly body: unknown;
}

/**
 * Asks a Worker, or a Hono app, under an environment.
 * @throws Error where the request or its answer contradicts the Worker's own document
 */
export async function ask(
  worker: Pick<WorkerHandler, 'fetch'>,
  path: string,
  init: RequestInit = {},
  env: object = silent,
): Promise<Reply> {
  const url = `http://worker${path}`;
  const response = await worker.fetch(new Request(url, init), env);
  const { status, headers } = response;
  const text = await response.text();
  const type = headers.get('content-type');
  const isJson = type?.startsWith('application/json') ?? false;
  const body: unknown = isJson ? JSON.parse(text) : undefined;
  const document = await documentOf(worker, env);
  if (document) {
    const sentHeaders = new Headers(init.headers);
    checkDocumented(document, {
      method: init.method ?? 'GET',
      url: new URL(url),
      headers: sentHeaders,
      sent: typeof init.body === 'string' && !sentHeaders.has('content-encoding') ? parsed(init.body) : undefined,
      status,
      type,
      answered: body,
    });
  }
  return { status, headers, text, body };
}

const silent = { LOG_REQUESTS: false };

const documents = new WeakMap<object, Map<string, Document | undefined>>();

/** Returns the served document; undefined where the root is not this project's app. */
async function documentOf(worker: Pick<WorkerHandler, 'fetch'>, env: object): Promise<Document | undefined> {
  const known = documents.get(worker) ?? new Map<string, Document | undefined>();
  documents.set(worker, known);
  const key = JSON.stringify(env);
  if (!known.has(key)) known.set(key, await fetchDocument(worker, env));
  return known.get(key);
}

async function fetchDocument(worker: Pick<WorkerHandler, 'fetch'>, env: object): Promise<Document | undefined> {
  const open = { ...env, ...silent, DOCS: true, API_KEY: 'document', RATE_LIMITER: undefined };
  const request = new Request('http://worker/openapi.json', { headers: { authorization: 'Bearer document' } });
  const response = await worker.fetch(request, open);
  const text = await response.text();
  return response.status === 200 ? (parsed(text) as Document | undefined) : undefined;
}

/** Makes a request that sends samples to an echo; each sample is one row of `x`. */
export function samples(rows: readonly (readonly number[])[], more: object = {}): RequestInit {
  const [first = []] = rows;
  const input = { name: 'x', datatype: 'FP32', shape: [rows.length, first.length], data: rows.flat() };
  return jsonRequest({ ...more, inputs: [input] });
}

export function jsonRequest(value: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}
