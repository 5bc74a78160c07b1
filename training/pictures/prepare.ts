/**
 * Prepares any picture for a model. Training and the Worker call the same function, so that a model is served pictures
 * prepared like those it was trained on.
 */
import { at, present } from '../arrays/index.ts';
import { type Colour, colourOf, divideByAlpha, luma, premultiply, rowSplitter } from './channels.ts';
import { laidOnto, prepareDrawing } from './drawing.ts';
import { uprightSize } from './exif.ts';
import { type Picture, type PictureRows, type Plane, rowsOf } from './picture.ts';
import type { Fit, PicturePreparation, PictureSize } from './preparation.ts';
import { type Box, Resampler, type Resampling } from './resample.ts';

/**
 * Prepares a picture in memory.
 *
 * @returns bytes of `pictureShape`
 */
export const preparePicture = (picture: Picture, preparation: PicturePreparation): Uint8Array =>
  prepareRows(rowsOf(picture), preparation);

/**
 * Prepares a picture row by row, so that only the result is in memory. A drawing is held as a whole.
 *
 * @returns bytes of `pictureShape`
 * @throws PictureError where the picture turns out to be damaged
 */
export function prepareRows(rows: PictureRows, preparation: PicturePreparation): Uint8Array {
  const { size, channels, drawing } = preparation;
  const planes = drawing ? repeated(prepareDrawing(rows, size), channels) : fitted(rows, preparation);
  return arranged(
    planes.map(({ data }) => data),
    preparation,
  );
}

const repeated = (plane: Plane, times: number): readonly Plane[] => Array.from({ length: times }, () => plane);

/** Arranges the channels in the input's order, first or last. */
function arranged(planes: readonly Uint8Array[], { size, channels, order, layout }: PicturePreparation): Uint8Array {
  const area = size.rows * size.columns;
  const bytes = new Uint8Array(channels * area);
  const ordered = order === 'BGR' ? planes.toReversed() : planes;
  ordered.forEach((plane, channel) => {
    if (layout !== 'NHWC') bytes.set(plane, channel * area);
    else for (let i = 0, to = channel; i < area; i++, to += channels) bytes[to] = present(plane[i]);
  });
  return bytes;
}

function fitted(rows: PictureRows, preparation: PicturePreparation): readonly Plane[] {
  const { size, channels, background } = preparation;
  const colour = colourOf(background);
  const upright = uprightSize(rows);
  const picture = { width: upright.columns, height: upright.rows };
  const { left, top, ...target } = placementOf(picture, preparation);
  const isWeighted = channels === 4 && !isWhole(picture, target);
  const resamplers = Array.from(
    { length: channels },
    () => new Resampler({ ...picture, orientation: rows.orientation, ...target }),
  );
  const split = rowSplitter(rows, channels, colour);
  rows.read((row) => {
    const lines = split(row);
    if (isWeighted) premultiply(lines);
    resamplers.forEach((resampler, channel) => {
      resampler.push(at(lines, channel));
    });
  });
  const results = resamplers.map((resampler) => resampler.result());
  if (isWeighted) divideByAlpha(results.map(({ data }) => data));
  return results.map((result, channel) => {
    const paper = new Uint8Array(size.rows * size.columns).fill(paperOf(colour, channels, channel));
    return laidOnto(result, { width: size.columns, height: size.rows, data: paper }, left, top);
  });
}

const OPAQUE = 255;

const paperOf = (colour: Colour, channels: PicturePreparation['channels'], channel: number): number =>
  channels === 1 ? luma(...colour) : (colour[channel] ?? OPAQUE);

/**
 * The part of a picture that is used, the number of pixels that it becomes, and their position in the model's picture.
 */
interface Placement extends Pick<Resampling, 'box' | 'columns' | 'rows'> {
  readonly left: number;
  readonly top: number;
}

type Size = Pick<Plane, 'width' | 'height'>;

const wholeOf = (size: Size): Box => ({ left: 0, top: 0, ...size });

/** Is true where every pixel stays as it is. */
const isWhole = ({ width, height }: Size, { box, columns, rows }: Omit<Placement, 'left' | 'top'>): boolean =>
  box.width === columns && box.height === rows && columns === width && rows === height;

const placementOf = (picture: Size, { fit, size, resize }: PicturePreparation): Placement =>
  fit === 'cover' && resize !== undefined ? middleOf(picture, size, resize) : fits[fit](picture, size);

/**
 * Returns the middle of a picture whose shorter side is scaled to `resize`. As in torchvision, the length of the longer
 * side is truncated, and an offset that ends in a half pixel is rounded to even.
 *
 * Source: https://github.com/pytorch/vision/blob/v0.24.1/torchvision/transforms/functional.py
 * (`_compute_resized_output_size`, `center_crop`)
 */
function middleOf({ width, height }: Size, { rows, columns }: PictureSize, resize: number): Placement {
  const long = Math.trunc((resize * Math.max(width, height)) / Math.min(width, height));
  const [across, down] = width <= height ? [resize, long] : [long, resize];
  const [pixelWidth, pixelHeight] = [width / across, height / down];
  const box = {
    left: roundToEven((across - columns) / 2) * pixelWidth,
    top: roundToEven((down - rows) / 2) * pixelHeight,
    width: columns * pixelWidth,
    height: rows * pixelHeight,
  };
  return { rows, columns, box, left: 0, top: 0 };
}

const roundToEven = (half: number): number => (half % 2 === 0.5 ? Math.floor(half) : Math.round(half));

const fits: Readonly<Record<Fit, (picture: Size, size: PictureSize) => Placement>> = {
  stretch: (picture, size) => ({ ...size, box: wholeOf(picture), left: 0, top: 0 }),
  cover: ({ width, height }, size) => {
    const { rows, columns } = size;
    const isWide = width * rows > height * columns;
    const box = isWide ? { width: (height * columns) / rows, height } : { width, height: (width * rows) / columns };
    return { ...size, box: { left: (width - box.width) / 2, top: (height - box.height) / 2, ...box }, left: 0, top: 0 };
  },
  contain: (picture, { rows, columns }) => {
    const { width, height } = picture;
    const isWide = width * rows > height * columns;
    const [across, down] = isWide
      ? [columns, Math.max(Math.round((height * columns) / width), 1)]
      : [Math.max(Math.round((width * rows) / height), 1), rows];
    const [left, top] = [Math.floor((columns - across) / 2), Math.floor((rows - down) / 2)];
    return { columns: across, rows: down, box: wholeOf(picture), left, top };
  },
};
