/**
 * Reads the samples of a classify or explain request, whichever way they came: a picture, raw pixels, rows by name, or
 * the JSON tensor.
 */
import { elementCount, present } from '../../training/arrays/index.ts';
import { mediaType } from '../http/body.ts';
import { parseJson } from '../http/json.ts';
import { rawRequest, sliceInputs } from './binary.ts';
import { numbersOf as numbersIn, type Tensor, type TensorInfo } from './datatypes.ts';
import { quote, RequestError } from '../errors.ts';
import type { Model } from '../models.ts';
import { isPicture } from '../../training/pictures/format.ts';
import { bytesOf, numbersOf, pictureShape } from '../../training/pictures/numbers.ts';
import type { PicturePreparation, PictureSize } from '../../training/pictures/preparation.ts';
import { isRowsRequest, readRows } from '../rows/read-rows.ts';
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
  /** Lists the outputs that the request names. */
  readonly outputs?: readonly string[];
  /** Renders what the model sees of each sample, as PNG data URLs. */
  pictures(): Promise<string[]>;
}

export interface SampleRequest {
  readonly samples: Samples;
  /** Holds the options by name: members of the JSON object's `parameters`, or of the query string. */
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

/** Leaves out parameters that are `null`, which asks for their defaults. */
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
    pictures: async () => picturesOf(feeds, pictureInput(model)),
  };
}

/**
 * Reads rows by the names of their columns. Unknown names and values are refused, whatever the card says: an explanation
 * must not show values that were filled in for them.
 */
function rowsRequest(table: RowTable, request: Request, body: Uint8Array, maxBatch: number): SampleRequest {
  const sent = readRows(request, body, maxBatch, table.columns);
  const { tensor } = prepareRows(table, sent, undefined);
  const feeds = new Map([[table.input.name, tensor]]);
  const pictures = (): never => {
    throw new RequestError('malformed', 'image: expected a model of pictures, got one of rows');
  };
  return { samples: { feeds, batch: sent.rows.length, pictures }, options: sent.options };
}

async function pictureRequest(model: Model, body: Uint8Array): Promise<Parts> {
  const { picture } = pictureInput(model);
  const { pixelsOf } = await import('../pictures/index.ts');
  return pixelsRequest(model, pixelsOf(body, picture));
}

/** Reads pixels of the model's own size, one byte for each number that it takes, in its order. */
function pixelsRequest(model: Model, pixels: Uint8Array): Parts {
  const { name, shape, picture } = pictureInput(model);
  const request = rawRequest(model.name, [{ name, shape, datatype: 'UINT8' }], pixels.byteLength);
  const numbers = numbersOf(pixels, picture);
  if (numbers === pixels) return { request, binary: pixels };
  const inputs = request.inputs.map((input) => ({
    ...input,
    datatype: 'FP32' as const,
    parameters: { binary_data_size: numbers.byteLength },
  }));
  return { request: { ...request, inputs }, binary: new Uint8Array(numbers.buffer) };
}

interface PictureInput {
  readonly name: string;
  /** Holds one picture's sizes in place of free ones; −1 stands for the number of pictures, when it is free. */
  readonly shape: readonly number[];
  readonly picture: PicturePreparation;
}

/** Describes what a picture becomes for the model; `undefined` when it takes none. */
export function pictureInfoOf({ picture, session }: Model): PictureInfo | undefined {
  if (!picture || picture.values === null || session.inputs.length !== 1) return undefined;
  const { size, channels, drawing } = picture;
  return { ...size, channels, ...(drawing && { drawing }) };
}

/** @throws RequestError when the model takes no pictures, or nothing says how */
function pictureInput(model: Model): PictureInput {
  const { picture, session } = model;
  const [input, ...others] = session.inputs;
  if (!picture || !input || others.length > 0) throw noPictures(model);
  if (picture.values === null) {
    const expected = 'a model that was trained on pictures, or on arrays of bytes or of numbers from 0 to 1';
    throw new RequestError(
      'malformed',
      `picture: expected ${expected}; ${model.name} takes its numbers only as tensors`,
    );
  }
  const { name, anyShape, shape } = input;
  const { rows, columns } = picture.size;
  const pictureSizes = pictureShape(picture);
  const sizes = { 2: [elementCount(pictureSizes)], 3: [rows, columns] }[shape.length] ?? pictureSizes;
  return { name, shape: [anyShape ? -1 : (shape[0] ?? -1), ...sizes], picture };
}

/** Explains why a picture is refused, and how the card could change that, if it could. */
function noPictures({ name, path, columns = {}, session }: Model): RequestError {
  const [input, ...others] = session.inputs;
  const expected = 'a model with one input of pictures';
  if (input && others.length === 0 && !Object.hasOwn(columns, input.name) && mayBePictures(input)) {
    const says = `${name} does not say how it takes them`;
    const card = `of the input ${quote(input.name)}`;
    const again = `in models/${path}/card.json and build again`;
    const how =
      input.shape.length === 2
        ? `${says}: it takes ${rowsOf(input)} as tensors; if these are pixels, say of which size in "picture" ${card} ${again}`
        : `${says}: set "picture" ${card} to "imagenet", "[0,1]", "[-1,1]", "raw" or more ${again}`;
    return new RequestError('malformed', `picture: expected ${expected}, ${how}`);
  }
  const got = session.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
  return new RequestError('malformed', `picture: expected ${expected}, ${name} has ${got}`);
}

/** Is true when some card could turn pictures into this input. */
const mayBePictures = ({ shape, anyShape, datatype }: TensorInfo): boolean =>
  datatype !== 'BOOL' && (anyShape === true || (shape.length >= 2 && shape.length <= 4));

function rowsOf({ shape: [, numbers = -1] }: TensorInfo): string {
  return numbers < 0 ? 'rows of numbers' : `rows of ${numbers} numbers`;
}

/**
 * Encodes what the model was given as PNG files: converts the numbers back to bytes, and puts the channels side by
 * side, red first.
 */
async function picturesOf(feeds: ReadonlyMap<string, Tensor>, { name, picture }: PictureInput): Promise<string[]> {
  const { toPngUrl } = await import('../pictures/index.ts');
  const tensor = feeds.get(name);
  if (!tensor) throw new Error(`internal: no feed ${name}`);
  const { channels, layout, order } = picture;
  const size = sizeOf(tensor, picture);
  const bytes = bytesOf(numbersIn(tensor), { ...picture, size });
  const area = size.rows * size.columns;
  const placeOf = (pixel: number, channel: number): number =>
    layout === 'NHWC' ? pixel * channels + channel : channel * area + pixel;
  const urls = Array.from({ length: bytes.length / (channels * area) }, (_, n) => {
    const pixels = Uint8Array.from({ length: channels * area }, (_, i) => {
      const channel = order === 'BGR' ? channels - 1 - (i % channels) : i % channels;
      return present(bytes[n * channels * area + placeOf(Math.floor(i / channels), channel)]);
    });
    return toPngUrl(size.columns, size.rows, channels, pixels);
  });
  return Promise.all(urls);
}

/** Returns the size of the pictures in a tensor, for a model that leaves the sizes free. */
function sizeOf({ shape }: Tensor, { layout, size }: PicturePreparation): PictureSize {
  if (shape.length !== 4) return size;
  const [rows = 0, columns = 0] = layout === 'NHWC' ? shape.slice(1) : shape.slice(2);
  return { rows, columns };
}

/** Reads `?top_k=3&image=true`, with numbers and booleans as in JSON. */
export function queryOptions(url: string): Record<string, unknown> {
  const entries = [...new URL(url).searchParams].slice(0, 64);
  return Object.fromEntries(entries.map(([key, text]) => [key, fromText(text)]));
}

function fromText(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
