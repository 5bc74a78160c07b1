/**
 * Finds out which axis of an input is which of a picture's, from the card and the file's shape. If several are possible,
 * an objection names the key that decides.
 */
import { quote } from '../../training/files/index.ts';
import type { Layout, PicturePreparation } from '../../training/pictures/index.ts';
import { type Port, shapeOf } from '../served/ports.ts';
import type { StatedPicture } from './stated-picture.ts';

export type Channels = PicturePreparation['channels'];

/** Says which axis of an input is which of a picture's; a size is −1 if the file leaves it free. */
export interface PicturePlace {
  readonly layout: Layout;
  readonly channels: Channels;
  readonly rows: number;
  readonly columns: number;
}

const channelCounts = { 1: 1, 3: 3, 4: 4, grey: 1, RGB: 3, BGR: 3, RGBA: 4 } as const;

/** @returns an objection if no place fits, or more than one */
export function placeOf(stated: StatedPicture, port: Port): PicturePlace | string {
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
function placesFor({ layout, size, channels, filter }: StatedPicture, port: Port): readonly PicturePlace[] {
  const counts: readonly Channels[] = channels === undefined ? [1, 3] : [channelCounts[channels]];
  const fits = (file: number, stated: number | undefined): boolean =>
    file < 0 || stated === undefined || file === stated;
  const written = placesIn(shapeOf(port), size).flatMap((place) =>
    counts.filter((count) => fits(place.channels, count)).map((count) => ({ ...place, count })),
  );
  const compatible = written.filter(
    (place) =>
      (layout === undefined || place.layout === undefined || place.layout === layout) &&
      fits(place.rows, size?.rows) &&
      fits(place.columns, size?.columns),
  );
  const certain = compatible.filter((place) => place.channels > 0);
  const places = (certain.length > 0 ? certain : compatible).flatMap(({ count, rows, columns, layout: own }) => {
    const sizes = { channels: count, rows: size?.rows ?? rows, columns: size?.columns ?? columns };
    // An export has its channels in front; one channel without an axis is either.
    const layouts = own ?? layout ?? (count === 1 || filter ? 'NCHW' : undefined);
    return (layouts ? [layouts] : (['NCHW', 'NHWC'] as const)).map((one) => ({ ...sizes, layout: one }));
  });
  return places;
}

interface WrittenPlace extends Pick<PicturePlace, 'rows' | 'columns'> {
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
}: PicturePlace): Readonly<Record<'layout' | 'channels' | 'size', string>> => ({
  layout,
  channels: { 1: '"grey"', 3: '"RGB" or "BGR"', 4: '"RGBA"' }[channels],
  size: rows > 0 && columns > 0 ? `${rows} rows and ${columns} columns` : 'another',
});

function shownShape(port: Port): string {
  const shape = shapeOf(port);
  return `${quote(port.name)} ${shape ? `[${shape.join(', ')}]` : 'of any shape'}`;
}
