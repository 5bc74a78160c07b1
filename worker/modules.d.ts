/**
 * `"types": ["bn-edge/image"]` in a tsconfig.json: the image that `bn-edge build` writes, before it has. Its own types, which lie beside
 * it, replace these once it is there.
 */
declare module '*/.bn-edge/image.mjs' {
  import type { Image } from 'bn-edge/worker';

  const image: Image;
  export default image;
}
