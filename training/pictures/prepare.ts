/**
 * From any picture to what a model takes of it. Training and the Worker call this one function, so that a model is served what it was
 * trained on.
 */
import { type Colour, colourOf, luma, planesOf } from './channels.ts';
import { laidOnto, prepareDrawing } from './drawing.ts';
import type { Picture, Plane } from './picture.ts';
import type { Fit, PicturePreparation, PictureSize } from './preparation.ts';
import { resample } from './resample.ts';

/** @returns bytes `[channels, rows, columns]` */
export function preparePicture(picture: Picture, preparation: PicturePreparation): Uint8Array {
  const { size, channels, fit, background, drawing } = preparation;
  const colour = colourOf(background);
  const planes = drawing ? repeated(prepareDrawing(picture, size), channels) : planesOf(picture, channels, colour);
  const area = size.rows * size.columns;
  const bytes = new Uint8Array(channels * area);
  planes.forEach((plane, channel) => {
    const fitted = drawing ? plane : fits[fit](plane, size, paperOf(colour, channels, channel));
    bytes.set(fitted.data, channel * area);
  });
  return bytes;
}

const repeated = (plane: Plane, times: number): readonly Plane[] => Array.from({ length: times }, () => plane);

const paperOf = (colour: Colour, channels: 1 | 3, channel: number): number =>
  channels === 1 ? luma(...colour) : (colour[channel] ?? 0);

const fits: Readonly<Record<Fit, (plane: Plane, size: PictureSize, paper: number) => Plane>> = {
  stretch: (plane, { rows, columns }) => resample(plane, columns, rows),
  cover: (plane, { rows, columns }) => {
    const { width, height } = plane;
    const isWide = width * rows > height * columns;
    const box = isWide ? { width: (height * columns) / rows, height } : { width, height: (width * rows) / columns };
    const [left, top] = [(width - box.width) / 2, (height - box.height) / 2];
    return resample(plane, columns, rows, { left, top, ...box });
  },
  contain: (plane, { rows, columns }, paper) => {
    const { width, height } = plane;
    const isWide = width * rows > height * columns;
    const [across, down] = isWide
      ? [columns, Math.max(Math.round((height * columns) / width), 1)]
      : [Math.max(Math.round((width * rows) / height), 1), rows];
    const under = { width: columns, height: rows, data: new Uint8Array(rows * columns).fill(paper) };
    const [left, top] = [Math.floor((columns - across) / 2), Math.floor((rows - down) / 2)];
    return laidOnto(resample(plane, across, down), under, left, top);
  },
};
