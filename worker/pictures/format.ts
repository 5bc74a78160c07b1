/** Which format a picture has, judged by its first bytes: `curl --data-binary` declares any file a form. */

export const PNG_SIGNATURE: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG_SIGNATURE: readonly number[] = [0xff, 0xd8, 0xff];

const startsWith = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, i) => bytes[i] === byte);

export const isPng = (bytes: Uint8Array): boolean => startsWith(bytes, PNG_SIGNATURE);

export const isJpeg = (bytes: Uint8Array): boolean => startsWith(bytes, JPEG_SIGNATURE);

export const isPicture = (bytes: Uint8Array): boolean => isPng(bytes) || isJpeg(bytes);
