declare module 'jpeg-js/lib/decoder.js' {
  interface Decoded {
    readonly width: number;
    readonly height: number;
    /** Red, green, blue and alpha of each pixel. */
    readonly data: Uint8Array;
  }
  /** @throws Error where the file is damaged or needs more memory than allowed */
  export default function decode(
    file: Uint8Array,
    options: {
      readonly useTArray: true;
      readonly tolerantDecoding: boolean;
      readonly maxMemoryUsageInMB: number;
    },
  ): Decoded;
}
