/**
 * Finds out how pictures become an input, from its card and the file's shape. Nothing is guessed: an objection names
 * the key that would decide.
 */
import { at } from '../../training/arrays/index.ts';
import { quote } from '../../training/files/index.ts';
import {
  type Layout,
  type PictureNumbers,
  type PicturePreparation,
  plainPreparation,
  tablesOf,
} from '../../training/pictures/index.ts';
import { type Port, type Ports, shapeOf } from '../served/ports.ts';
import { type Preset, presets, type StatedPicture } from './stated-picture.ts';

export interface FoundPicture {
  /** `picture` is absent if nothing says that the input takes pictures, and how. */
  readonly picture?: PicturePreparation;
  /** Lists `.key: expected X, got Y` for each key that is missing or that the file contradicts. */
  readonly objections: readonly string[];
}

/**
 * Returns how pictures become an input. Bytes in the shape of pictures need no card: they are the pictures' own. Other
 * numbers may be of 0 to 255, of 0 to 1 or normalized.
 */
export function pictureOf(stated: StatedPicture | undefined, port: Port): FoundPicture {
  if (stated) return prepared(stated, port);
  const isBytes = port.datatype === 'UINT8' && port.dims?.length === 4;
  const { picture } = isBytes ? prepared({ preset: 'raw' }, port) : {};
  return { ...(picture && { picture }), objections: [] };
}

/** Does the same for a model with one input. With several inputs, none takes a picture. */
export function pictureOfModel(
  cards: readonly PictureCard[],
  { inputs }: Pick<Ports, 'inputs'>,
): PicturePreparation | undefined {
  const [port, ...others] = inputs;
  if (!port || others.length > 0) return undefined;
  return pictureOf(cards.find(({ name }) => name === port.name)?.picture, port).picture;
}

interface PictureCard {
  readonly name: string;
  readonly picture?: StatedPicture;
}

/** Is true if a card could say how pictures become the input. */
export const mayBePictures = ({ dims, datatype }: Port): boolean =>
  datatype !== 'BOOL' && (dims === undefined || dims.length === 3 || dims.length === 4);

function prepared(stated: StatedPicture, port: Port): FoundPicture {
  const place = placeOf(stated, port);
  if (typeof place === 'string') return { objections: [place] };
  const { channels, rows, columns, layout } = place;
  const [fit, resize] = fitOf(stated, place);
  const { numbers, values, objections } = numbersOf(stated, channels);
  const picture: PicturePreparation = {
    ...plainPreparation({ rows, columns }, channels),
    fit,
    ...(resize !== undefined && { resize }),
    ...(stated.background !== undefined && { background: stated.background }),
    ...(stated.drawing !== undefined && { drawing: stated.drawing }),
    ...(values !== undefined && { values }),
    ...(numbers && { numbers }),
    ...(layout === 'NHWC' && { layout }),
    ...(stated.channels === 'BGR' && { order: stated.channels }),
  };
  const all = [
    ...objections,
    ...sizeObjections(picture),
    ...fitObjections(stated),
    ...resizeObjections(stated, picture),
    ...(objections.length > 0 ? [] : [...datatypeObjections(picture, port), ...flatObjections(picture)]),
  ];
  return all.length > 0 ? { objections: all } : { picture, objections: [] };
}

type Channels = PicturePreparation['channels'];

/** Says which axis of an input is which of a picture's; a size is −1 if the file leaves it free. */
interface Place {
  readonly layout: Layout;
  readonly channels: Channels;
  readonly rows: number;
  readonly columns: number;
}

const channelCounts = { 1: 1, 3: 3, 4: 4, grey: 1, RGB: 3, BGR: 3, RGBA: 4 } as const;

/** @returns an objection if no place fits, or more than one */
function placeOf(stated: StatedPicture, port: Port): Place | string {
  const places = placesFor(stated, port);
  const [place, another] = places;
  if (!place) return noPlace(stated, port);
  const shown = shownShape(port);
  if (another) {
    const key = place.channels === another.channels ? 'layout' : 'channels';
    const expected = key === 'layout' ? '"NCHW" or "NHWC"' : '"grey", "RGB", "BGR" or "RGBA"';
    return `.${key}: expected ${expected}, as ${shown} may be any, got none`;
  }
  if (place.rows > 0 && place.columns > 0) return place;
  return `.size: expected the rows and columns to which pictures are brought, as ${shown} leaves them free, got none`;
}

/**
 * Returns the places that agree with the card. Those that need a free size for the channels count only if there are no
 * others.
 */
function placesFor({ layout, size, channels, filter }: StatedPicture, port: Port): readonly Place[] {
  const counts: readonly Channels[] = channels === undefined ? [1, 3] : [channelCounts[channels]];
  const fits = (file: number, said: number | undefined): boolean => file < 0 || said === undefined || file === said;
  const written = placesIn(shapeOf(port), size).flatMap((place) =>
    counts.filter((count) => fits(place.channels, count)).map((count) => ({ ...place, count })),
  );
  const said = written.filter(
    (place) =>
      (layout === undefined || place.layout === undefined || place.layout === layout) &&
      fits(place.rows, size?.rows) &&
      fits(place.columns, size?.columns),
  );
  const certain = said.filter((place) => place.channels > 0);
  const places = (certain.length > 0 ? certain : said).flatMap(({ count, rows, columns, layout: own }) => {
    const sizes = { channels: count, rows: size?.rows ?? rows, columns: size?.columns ?? columns };
    // An export has its channels in front; one channel without an axis is either.
    const layouts = own ?? layout ?? (count === 1 || filter ? 'NCHW' : undefined);
    return (layouts ? [layouts] : (['NCHW', 'NHWC'] as const)).map((one) => ({ ...sizes, layout: one }));
  });
  return places;
}

interface WrittenPlace extends Pick<Place, 'rows' | 'columns'> {
  readonly channels: number;
  /** Absent for a shape without an axis for channels. */
  readonly layout?: Layout;
}

function placesIn(shape: readonly number[] | undefined, size: StatedPicture['size']): readonly WrittenPlace[] {
  if (!shape) return (['NCHW', 'NHWC'] as const).map((layout) => ({ layout, channels: -1, rows: -1, columns: -1 }));
  const [, first = -1, second = -1, third = -1] = shape;
  if (shape.length === 4) {
    return [
      { layout: 'NCHW', channels: first, rows: second, columns: third },
      { layout: 'NHWC', channels: third, rows: first, columns: second },
    ];
  }
  if (shape.length === 3) return [{ channels: 1, rows: first, columns: second }];
  return shape.length === 2 ? flatPlaces(first, size) : [];
}

/** Returns the places of an input with all pixels in a row. Without a stated size, pictures are squares. */
function flatPlaces(numbers: number, size: StatedPicture['size']): readonly WrittenPlace[] {
  if (numbers < 0) return [{ channels: -1, rows: -1, columns: -1 }];
  return ([1, 3, 4] as const).flatMap((channels) => {
    const side = Math.sqrt(numbers / channels);
    const { rows, columns } = size ?? { rows: side, columns: side };
    return Number.isInteger(rows) && channels * rows * columns === numbers ? [{ channels, rows, columns }] : [];
  });
}

/** Names the key that the file contradicts: the one without which a place fits. */
function noPlace(stated: StatedPicture, port: Port): string {
  const shown = shownShape(port);
  for (const key of ['layout', 'channels', 'size'] as const) {
    if (stated[key] === undefined) continue;
    const { [key]: got, ...others } = stated;
    const [place] = placesFor(others, port);
    if (place) return `.${key}: expected ${wanted(place)[key]}, as the file takes ${shown}, got ${JSON.stringify(got)}`;
  }
  const [withAlpha] = stated.channels === undefined ? placesFor({ ...stated, channels: 'RGBA' }, port) : [];
  if (withAlpha) return `.channels: expected "RGBA", if these are the 4 channels of ${shown}, got none`;
  return `: expected an input of pictures, [N, C, H, W], [N, H, W, C], [N, H, W] or [N, C·H·W], got ${shown}`;
}

const wanted = ({
  layout,
  channels,
  rows,
  columns,
}: Place): Readonly<Record<'layout' | 'channels' | 'size', string>> => ({
  layout,
  channels: { 1: '"grey"', 3: '"RGB" or "BGR"', 4: '"RGBA"' }[channels],
  size: rows > 0 && columns > 0 ? `${rows} rows and ${columns} columns` : 'another',
});

function shownShape(port: Port): string {
  const shape = shapeOf(port);
  return `${quote(port.name)} ${shape ? `[${shape.join(', ')}]` : 'of any shape'}`;
}

const IMAGENET: PictureNumbers = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** The share of the shorter side that torchvision and timm keep of a picture: 224 of 256, 299 of 342. */
const IMAGENET_MIDDLE = 0.875;

function fitOf(
  { preset, fit, resize }: StatedPicture,
  { rows, columns }: Place,
): readonly [PicturePreparation['fit'], number?] {
  const isImagenet = preset === 'imagenet';
  const how = fit ?? (isImagenet ? 'cover' : 'stretch');
  if (resize !== undefined) return [how, resize];
  return isImagenet && how === 'cover' ? [how, Math.round(Math.max(rows, columns) / IMAGENET_MIDDLE)] : [how];
}

interface FoundNumbers extends Pick<PicturePreparation, 'numbers' | 'values'> {
  readonly objections: readonly string[];
}

function numbersOf(stated: StatedPicture, channels: Channels): FoundNumbers {
  const { preset, values, filter, scale, mean, std } = stated;
  const others = (['scale', 'mean', 'std', 'values'] as const).filter((key) => stated[key] !== undefined);
  if (preset !== undefined) {
    return others.length > 0
      ? { objections: others.map((key) => `.${key}: expected none beside the preset ${quote(preset)}, got one`) }
      : numbersOfPreset(stated, preset, channels);
  }
  if (values !== undefined || others.length === 0) {
    const isSaid = values !== undefined || filter !== undefined;
    if (isSaid && others.length < 2) return { ...(values !== undefined && { values }), objections: [] };
    if (isSaid) return { objections: ['.values: expected none beside scale, mean or std, got one'] };
    const named = presets.map(quote).join(', ');
    return { objections: [`.preset: expected ${named}, or "scale", "mean" and "std" in its place, got none`] };
  }
  if (scale === undefined) {
    const either = '1 if mean and std are of bytes, "1/255" if they are of numbers from 0 to 1';
    return { objections: [`.scale: expected ${either}, got none`] };
  }
  const lengths = Object.entries({ mean, std }).flatMap(([key, list]) =>
    list === undefined || list.length === 1 || list.length === channels
      ? []
      : [`.${key}: expected one number, or ${channels} as the input has channels, got ${list.length}`],
  );
  if (lengths.length > 0) return { objections: lengths };
  const each = (list: readonly number[]) =>
    Array.from({ length: channels }, (_, i) => at(list, list.length === 1 ? 0 : i));
  return { numbers: { scale, mean: each(mean ?? [0]), std: each(std ?? [1]) }, objections: [] };
}

function numbersOfPreset({ channels: order }: StatedPicture, preset: Preset, channels: Channels): FoundNumbers {
  if (preset === 'raw') return { objections: [] };
  if (preset !== 'imagenet') return { values: preset === '[0,1]' ? [0, 1] : [-1, 1], objections: [] };
  if (channels !== 3)
    return {
      objections: [`.preset: expected another than "imagenet", which is of 3 channels, for an input of ${channels}`],
    };
  const { scale, mean, std } = IMAGENET;
  const numbers = order === 'BGR' ? { scale, mean: mean.toReversed(), std: std.toReversed() } : IMAGENET;
  return { numbers, objections: [] };
}

/** 32 MiB of float32: a Worker has 128 MB, and holds a picture's numbers twice for a moment. */
const MAX_NUMBERS = 2 ** 23;

function sizeObjections({ size: { rows, columns }, channels }: PicturePreparation): readonly string[] {
  const numbers = rows * columns * channels;
  if (numbers <= MAX_NUMBERS) return [];
  return [`.size: expected at most ${MAX_NUMBERS} numbers of all channels, got ${numbers}`];
}

/** Objects to a fit beside a drawing, which is framed and centred whatever its file's size is. */
const fitObjections = ({ fit, drawing }: StatedPicture): readonly string[] =>
  drawing === true && fit !== undefined && fit !== 'stretch'
    ? [`.fit: expected none beside "drawing", got ${quote(fit)}`]
    : [];

function resizeObjections({ resize }: StatedPicture, { fit, drawing, size }: PicturePreparation): readonly string[] {
  if (resize === undefined) return [];
  if (fit !== 'cover' || drawing) return ['.resize: expected none without "fit": "cover", got one'];
  const min = Math.max(size.rows, size.columns);
  return resize < min ? [`.resize: expected at least ${min}, of which the size is cut out, got ${resize}`] : [];
}

function datatypeObjections(picture: PicturePreparation, { datatype }: Port): readonly string[] {
  const tables = tablesOf(picture) ?? [Float32Array.of(0, 255)];
  const isHeld = holdsOf(datatype);
  const other = tables.flatMap((table) => [...table]).find((number) => !isHeld(number));
  if (other === undefined) return [];
  return [`: expected numbers that ${datatype} holds, as the file takes them, got ${other} for a byte`];
}

/** The largest number of half precision. */
const LARGEST_HALF = 65_504;

/**
 * Returns a predicate for the numbers that a datatype can hold. The numbers of pictures are rounded to single precision
 * before.
 */
function holdsOf(datatype: Port['datatype']): (number: number) => boolean {
  if (datatype === 'FP16') return (number) => Math.abs(number) <= LARGEST_HALF;
  if (datatype === 'FP32' || datatype === 'FP64') return Number.isFinite;
  const [, unsigned, bits] = /^(U?)INT(\d+)$/.exec(datatype) ?? [];
  const [min, max] =
    unsigned === 'U' ? [0, 2 ** Number(bits) - 1] : [-(2 ** (Number(bits) - 1)), 2 ** (Number(bits) - 1) - 1];
  return (number) => Number.isInteger(number) && number >= min && number <= max;
}

/** Objects to numbers with which black and white would be the same. */
function flatObjections(picture: PicturePreparation): readonly string[] {
  const flat = tablesOf(picture)?.find((table) => Number.isFinite(table[0]) && table[0] === table[255]);
  return flat ? [`: expected another number for white than for black, got ${at(flat, 0)} for both`] : [];
}
