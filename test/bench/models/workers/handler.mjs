/**
 * The request handler of both Workers: it takes generated numbers, runs `?n=` inferences, and returns the last outputs
 * as JSON.
 */
import inputs from './inputs.json';

const numbers = (shape) =>
  Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => ((i * 37) % 256) / 256);

export const tensors = inputs.map(({ name, shape }) => ({ name, shape, data: numbers(shape) }));

/** @param infer returns the outputs by name, or a promise of them */
export function serve(infer) {
  return {
    async fetch(request) {
      const runs = Number(new URL(request.url).searchParams.get('n') ?? 1);
      let outputs = {};
      for (let run = 0; run < runs; run++) {
        const result = infer();
        outputs = result instanceof Promise ? await result : result;
      }
      return Response.json(
        Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data, Number)])),
      );
    },
  };
}
