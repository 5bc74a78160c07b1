/** Describes what a pen leaves behind. */

/** A point from the top left corner. Its unit depends on the place of use: the pad's side, or a pixel. */
export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];

/** Moves every point by the same map. */
export function mapPoints(strokes: readonly Stroke[], move: (point: Point) => Point): Stroke[] {
  return strokes.map((stroke) => stroke.map(move));
}
