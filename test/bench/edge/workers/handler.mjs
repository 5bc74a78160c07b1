/**
 * The request handler of all measured Workers: it takes one digit, runs `?n=` inferences, and returns the last logits
 * as JSON.
 */

/** Stands in for a digit: 784 numbers from 0 to 255. */
const pixels = Float32Array.from({ length: 784 }, (_, i) => (i * 37) % 256);

/** @param infer takes `pixels` and returns the logits, or a promise of them */
export function serve(infer) {
  return {
    async fetch(request) {
      const runs = Number(new URL(request.url).searchParams.get('n') ?? 1);
      let logits = [];
      for (let run = 0; run < runs; run++) {
        const result = infer(pixels);
        logits = result instanceof Promise ? await result : result;
      }
      return Response.json(Array.from(logits));
    },
  };
}
