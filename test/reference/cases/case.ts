/** A row of the op tables: the kinds of its inputs, and how the op is emitted on them. */
import type { DType, GraphBuilder, OpType, Value } from '../../../training/graph/index.ts';
import { range, sizeOf } from '../ndarray.ts';
import type { Random } from '../random.ts';

export interface Input {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly sample: (random: Random) => readonly number[];
  /** Excludes an input of floats from the gradients that are tested. */
  readonly fixed?: true;
}

export interface Case {
  readonly about: string;
  readonly inputs: readonly Input[];
  /** Emits the op. The first output is differentiated. */
  readonly emit: (g: GraphBuilder, inputs: readonly Value[]) => readonly Value[];
  /** Says why there is no gradient to test. */
  readonly forwardOnly: string | undefined;
}

/** The cases of all ops. A table that lacks an op does not compile. */
export type CaseTable<O extends OpType> = { readonly [K in O]: readonly Case[] };

export function opCase<const I extends readonly Input[]>(
  about: string,
  inputs: I,
  emit: (g: GraphBuilder, ...inputs: { -readonly [K in keyof I]: Value }) => Value | readonly Value[],
  forwardOnly?: string,
): Case {
  return {
    about,
    inputs,
    emit: (g, values) => [emit(g, ...(values as { -readonly [K in keyof I]: Value }))].flat(),
    forwardOnly,
  };
}

const floats =
  (draw: (random: Random) => number) =>
  (...shape: readonly number[]): Input => ({
    dtype: 'float32',
    shape,
    sample: (random) => range(sizeOf(shape)).map(() => Math.fround(draw(random))),
  });

const sign = (random: Random): number => (random() < 0.5 ? -1 : 1);

/** Draws numbers from [−1, 1). */
export const uniform = floats((random) => 2 * random() - 1);
/** Draws numbers from [½, 2). */
export const positive = floats((random) => 0.5 + 1.5 * random());
/** Draws numbers at least ½ away from zero. */
export const nonzero = floats((random) => sign(random) * (0.5 + random()));

/** Draws elements that all differ by 0.1 or more, so that a small step changes no comparison. */
export const distinct = (...shape: readonly number[]): Input => ({
  dtype: 'float32',
  shape,
  sample: (random) => {
    const size = sizeOf(shape);
    return range(size)
      .map((i) => ({ value: Math.fround((i - size / 2) / 10), order: random() }))
      .toSorted((a, b) => a.order - b.order)
      .map(({ value }) => value);
  },
});

export const literal = (dtype: DType, shape: readonly number[], values: readonly number[]): Input => ({
  dtype,
  shape,
  sample: () => values,
});

export const fixed = (input: Input): Input => ({ ...input, fixed: true });
