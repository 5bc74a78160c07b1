/** What a pen leaves behind. */

/** From the top left corner, in units that depend on where it is used: the pad's side, or pixels. */
export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];

/** Every point moved by the same map. */
export function mapPoints(strokes: readonly Stroke[], move: (point: Point) => Point): Stroke[] {
  return strokes.map((stroke) => stroke.map(move));
}
