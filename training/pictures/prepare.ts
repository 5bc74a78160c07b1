/**
 * From any picture to what a model takes of it. Training and the Worker call this one function, so that a model is served what it was
 * trained on.
 */
import { type Colour, colourOf, luma, rowSplitter } from './channels.ts';
import { laidOnto, prepareDrawing } from './drawing.ts';
import { uprightSize } from './exif.ts';
import { type Picture, type PictureRows, type Plane, rowsOf } from './picture.ts';
import type { Fit, PicturePreparation, PictureSize } from './preparation.ts';
import { type Box, Resampler, type Resampling } from './resample.ts';

/** @returns bytes `[channels, rows, columns]` */
export const preparePicture = (picture: Picture, preparation: PicturePreparation): Uint8Array =>
  prepareRows(rowsOf(picture), preparation);

/**
 * Row by row, so that no more of the picture is held than becomes of it; but of a drawing all.
 * @returns bytes `[channels, rows, columns]`
 * @throws PictureError where the picture turns out to be damaged
 */
export function prepareRows(rows: PictureRows, preparation: PicturePreparation): Uint8Array {
  const { size, channels, drawing } = preparation;
  const area = size.rows * size.columns;
  const bytes = new Uint8Array(channels * area);
  const planes = drawing ? repeated(prepareDrawing(rows, size), channels) : fitted(rows, preparation);
  planes.forEach(({ data }, channel) => {
    bytes.set(data, channel * area);
  });
  return bytes;
}

const repeated = (plane: Plane, times: number): readonly Plane[] => Array.from({ length: times }, () => plane);

function fitted(rows: PictureRows, { size, channels, fit, background }: PicturePreparation): readonly Plane[] {
  const colour = colourOf(background);
  const upright = uprightSize(rows);
  const { left, top, ...target } = fits[fit]({ width: upright.columns, height: upright.rows }, size);
  const resampling = { width: upright.columns, height: upright.rows, orientation: rows.orientation, ...target };
  const resamplers = Array.from({ length: channels }, () => new Resampler(resampling));
  const split = rowSplitter(rows, channels, colour);
  rows.read((row) => {
    const lines = split(row);
    resamplers.forEach((resampler, channel) => {
      resampler.push(lines[channel] ?? row);
    });
  });
  return resamplers.map((resampler, channel) => {
    const paper = new Uint8Array(size.rows * size.columns).fill(paperOf(colour, channels, channel));
    return laidOnto(resampler.result(), { width: size.columns, height: size.rows, data: paper }, left, top);
  });
}

const paperOf = (colour: Colour, channels: 1 | 3, channel: number): number =>
  channels === 1 ? luma(...colour) : (colour[channel] ?? 0);

/** What part of a picture becomes how many pixels, and where they lie in the model's. */
interface Placement extends Pick<Resampling, 'box' | 'columns' | 'rows'> {
  readonly left: number;
  readonly top: number;
}

type Size = Pick<Plane, 'width' | 'height'>;

const wholeOf = (size: Size): Box => ({ left: 0, top: 0, ...size });

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
