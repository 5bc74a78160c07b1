/** Types of imports that have none, or not yet. */

/** The image that `bn-edge build` writes; its own types replace these once it is there. */
declare module '*/.bn-edge/image.mjs' {
  import type { Image } from 'bn-edge/worker';

  const image: Image;
  export default image;
}
