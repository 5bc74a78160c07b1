/**
 * The maximum size of a Worker, on every plan. Until 2026-09-04 it was 3 or 10 MB after compression.
 * https://developers.cloudflare.com/changelog/post/2026-09-04-increased-worker-size-limit/
 */
export const maxBytes = 64 * 1024 * 1024;

/** Returns one line if the Worker is too large. */
export function tooLarge(bytes: number): readonly string[] {
  if (bytes <= maxBytes) return [];
  const how = '"weights": "int8" or "weightsIn": "assets" in a card.json makes it smaller';
  return [`worker: expected at most ${megabytes(maxBytes)}, got ${megabytes(bytes)}; ${how}`];
}

export const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
