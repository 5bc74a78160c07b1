/**
 * Declares the image for a tsconfig.json with `"types": ["bn-edge/image"]`, until `bn-edge build` has written it. Then
 * its own types, which lie next to it, replace these.
 */
declare module '*/.bn-edge/image.mjs' {
  import type { Image } from 'bn-edge/worker';

  const image: Image;
  export default image;
}
