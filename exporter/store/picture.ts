/**
 * Finds out how pictures become an input, from its card and the file's shape. Nothing is guessed: an objection names
 * the key that would decide.
 */
import { at } from '../../training/arrays/index.ts';
import { quote } from '../../training/files/index.ts';
import {
  type PictureNumbers,
  type PicturePreparation,
  plainPreparation,
  tablesOf,
} from '../../training/pictures/index.ts';
import type { Port, Ports } from '../served/ports.ts';
import { type Channels, type PicturePlace, placeOf } from './picture-place.ts';
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

const IMAGENET: PictureNumbers = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** The share of the shorter side that torchvision and timm keep of a picture: 224 of 256, 299 of 342. */
const IMAGENET_MIDDLE = 0.875;

function fitOf(
  { preset, fit, resize }: StatedPicture,
  { rows, columns }: PicturePlace,
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
