/** The samples of a classify or explain request, whichever way they came: a picture, raw pixels, rows by name, or the JSON tensor. */
import { mediaType } from '../http/body.ts';
import { parseJson } from '../http/json.ts';
import { rawRequest, sliceInputs } from './binary.ts';
import { elementsOf, type Tensor, type TensorInfo } from './datatypes.ts';
import { quote, RequestError } from '../http/errors.ts';
import type { Model } from '../models.ts';
import { isPicture } from '../../training/pictures/format.ts';
import { plainPreparation } from '../../training/pictures/plain.ts';
import type { PicturePreparation } from '../../training/pictures/preparation.ts';
import { isRowsRequest, readRows } from '../rows/body.ts';
import { prepareRows } from '../rows/prepare.ts';
import type { RowTable } from '../rows/table.ts';
import { inferenceRequest, parse } from './protocol.ts';
import { isBinaryRequest, parseInference, type Parts } from './request.ts';
import { checkRows } from './rows.ts';
import type { PictureInfo } from './responses.ts';
import { readInputs } from './tensors.ts';

export interface Samples {
  readonly feeds: ReadonlyMap<string, Tensor>;
  readonly batch: number;
  readonly id?: string;
  /** The outputs that the request names. */
  readonly outputs?: readonly string[];
  /** What the model sees of each sample, as PNG data URLs. */
  images(): Promise<string[]>;
}

export interface SampleRequest {
  readonly samples: Samples;
  /** Options by name: members of the JSON object's `parameters`, or of the query string. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** @throws RequestError */
export async function readSamples(
  model: Model,
  request: Request,
  body: Uint8Array,
  maxBatch: number,
): Promise<SampleRequest> {
  const query = queryOptions(request.url);
  const type = mediaType(request);
  const ofParts = (parts: Parts): SampleRequest => ({
    samples: samplesOf(parts, model, maxBatch),
    options: { ...query, ...given(parts.request.parameters) },
  });
  if (isBinaryRequest(request)) return ofParts(parseInference(model, request, body));
  if (isPicture(body) || type?.startsWith('image/')) {
    return { samples: samplesOf(await pictureRequest(model, body), model, maxBatch), options: query };
  }
  if (type === 'application/json' || type === undefined) {
    const value = parseJson(body);
    if (model.table && isRowsRequest(value)) return rowsRequest(model.table, request, body, maxBatch);
    return ofParts({ request: parse(inferenceRequest, value), binary: new Uint8Array() });
  }
  if (type === 'application/octet-stream' || type === 'application/x-www-form-urlencoded') {
    return { samples: samplesOf(pixelsRequest(model, body), model, maxBatch), options: query };
  }
  const expected = 'a picture (image/png, image/jpeg), application/octet-stream or application/json';
  throw new RequestError('unsupported media type', `content-type: expected ${expected}, got ${quote(type)}`);
}

/** Without those that stand at `null`, which is where their defaults are wanted. */
const given = (parameters: object = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null));

function samplesOf({ request, binary }: Parts, model: Model, maxBatch: number): Samples {
  const { inputs } = model.session;
  const feeds = readInputs(request.inputs, sliceInputs(request.inputs, binary), inputs, maxBatch);
  checkRows(model, feeds);
  const [first] = feeds.values();
  return {
    feeds,
    batch: first?.shape[0] ?? 1,
    ...(request.id !== undefined && { id: request.id }),
    ...(request.outputs && { outputs: request.outputs.map(({ name }) => name) }),
    images: () => imagesOf(feeds, pictureInput(model), valuesOf(model)),
  };
}

/** A row that is none of the table's is refused: nothing is filled in where one looks inside. */
function rowsRequest(table: RowTable, request: Request, body: Uint8Array, maxBatch: number): SampleRequest {
  const sent = readRows(request, body, maxBatch, table.columns);
  const { tensor } = prepareRows(table, sent, 'refuse');
  const feeds = new Map([[table.input.name, tensor]]);
  const images = (): never => {
    throw new RequestError('malformed', 'image: expected a model of pictures, got one of rows');
  };
  return { samples: { feeds, batch: sent.rows.length, images }, options: sent.options };
}

async function pictureRequest(model: Model, body: Uint8Array): Promise<Parts> {
  const preparation = preparationOf(model);
  const { pixelsOf } = await import('../pictures/index.ts');
  return pixelsRequest(model, pixelsOf(body, preparation));
}

/** As its training pictures were prepared; a model that does not say takes them whole. */
function preparationOf(model: Model): PicturePreparation {
  const { channels, width, height } = pictureInput(model);
  return model.picture ?? plainPreparation({ rows: height, columns: width }, channels);
}

/** Pixels of the model's own size, one byte each. */
function pixelsRequest(model: Model, pixels: Uint8Array): Parts {
  const { name, shape } = pictureInput(model);
  const [black, white] = valuesOf(model);
  const request = rawRequest(model.name, [{ name, shape, datatype: 'UINT8' }], pixels.byteLength);
  if (black === 0 && white === 255) return { request, binary: pixels };
  const values = Float32Array.from(pixels, (byte) => black + (byte * (white - black)) / 255);
  const inputs = request.inputs.map((input) => ({
    ...input,
    datatype: 'FP32' as const,
    parameters: { binary_data_size: values.byteLength },
  }));
  return { request: { ...request, inputs }, binary: new Uint8Array(values.buffer) };
}

/**
 * What the model takes for the bytes 0 and 255.
 * @throws RequestError where that is not known
 */
function valuesOf({ name, picture }: Model): readonly [black: number, white: number] {
  const { values = BYTES } = picture ?? {};
  if (values) return values;
  const expected = 'a model that was trained on pictures, or on arrays of bytes or of numbers from 0 to 1';
  throw new RequestError('malformed', `picture: expected ${expected}; ${name} takes its numbers as tensors only`);
}

const BYTES = [0, 255] as const;

interface PictureInput extends TensorInfo {
  readonly channels: 1 | 3;
  readonly width: number;
  readonly height: number;
}

/** `[N, 1 or 3, H, W]`, alone; `undefined` where the model takes anything else. */
function pictureInputOf({ session }: Model): PictureInput | undefined {
  const [input, ...others] = session.inputs;
  const [, channels, height = -1, width = -1] = input?.shape ?? [];
  const isPictures = input?.shape.length === 4 && (channels === 1 || channels === 3) && height > 0 && width > 0;
  return isPictures && others.length === 0 ? { ...input, channels, width, height } : undefined;
}

/** What a picture becomes for the model; `undefined` where it takes none. */
export function takenPicture(model: Model): PictureInfo | undefined {
  const input = pictureInputOf(model);
  if (!input || model.picture?.values === null) return undefined;
  const { channels, height: rows, width: columns } = input;
  return { rows, columns, channels, ...(model.picture?.drawing && { drawing: true }) };
}

/** @throws RequestError where the model's input is no picture */
function pictureInput(model: Model): PictureInput {
  const input = pictureInputOf(model);
  if (input) return input;
  const { name, session } = model;
  const got = session.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
  throw new RequestError(
    'malformed',
    `picture: expected a model with one input [-1, 1, H, W] or [-1, 3, H, W], ${name} has ${got}`,
  );
}

/** Clamped to a byte: `[N, C, H, W]` planes to pixels side by side. */
async function imagesOf(
  feeds: ReadonlyMap<string, Tensor>,
  { name, channels, width, height }: PictureInput,
  [black, white]: readonly [number, number],
): Promise<string[]> {
  const { toPngUrl } = await import('../pictures/index.ts');
  const tensor = feeds.get(name);
  const values = tensor ? elementsOf(tensor) : [];
  const size = width * height;
  return Array.from({ length: values.length / (channels * size) }, (_, n) => {
    const pixels = Uint8Array.from({ length: channels * size }, (_, i) => {
      const value = Number(values[(n * channels + (i % channels)) * size + Math.floor(i / channels)]);
      return Math.min(Math.max(Math.round(((value - black) * 255) / (white - black)), 0), 255);
    });
    return toPngUrl(width, height, channels, pixels);
  });
}

/** `?top_k=3&image=true`: numbers and booleans as JSON would have them. */
export function queryOptions(url: string): Record<string, unknown> {
  const entries = [...new URL(url).searchParams].slice(0, 64);
  return Object.fromEntries(entries.map(([key, text]) => [key, fromText(text)]));
}

function fromText(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
