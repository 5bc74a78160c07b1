/**
 * A model as a program calls it, without HTTP (`image.mjs`) or over it (what `bn-edge client` writes): samples in, answers out. They are
 * types alone.
 */

/**
 * What becomes of names that are no columns and of values that are none of their column's: the row is refused; such names are left out;
 * or such values count as missing as well, where training met missing ones.
 */
export type Unknown = 'refuse' | 'ignore' | 'fill';

/** Of a model for classes. */
export interface LabelAnswer<Label extends string = string> {
  /** Null where the model answers no numbers. */
  readonly label: Label | null;
  /** Null where the model tells none, and where it answers no numbers. */
  readonly probability: number | null;
  readonly probabilities?: Readonly<Record<Label, number>>;
  /** What was left out or filled, what is far from the values of training, and `not a number`. */
  readonly warnings?: readonly string[];
}

/** Of a model whose labels do not exclude each other. */
export interface LabelsAnswer<Label extends string = string> {
  /** All that apply: with a probability of at least 0.5, or what the model's card says of the label; null where the model answers no numbers. */
  readonly labels: readonly Label[] | null;
  readonly probabilities?: Readonly<Record<Label, number>>;
  readonly warnings?: readonly string[];
}

/** Of a model for a number. */
export interface NumberAnswer {
  /** Null where the model answers no number. */
  readonly value: number | null;
  /** Around it, of a model whose card has an interval: its share of the values lies between both. Null where the value is. */
  readonly low?: number | null;
  readonly high?: number | null;
  readonly warnings?: readonly string[];
}

/** Of a model for several numbers. */
export interface NumbersAnswer {
  /** Null where not all that the model answers are numbers. */
  readonly values: readonly number[] | null;
  readonly warnings?: readonly string[];
}

/** What a model answers that tells a `'yes' | 'no'`, a list of such labels, a `number`, or a list of numbers. */
export type Answer<Told> = [Told] extends [string]
  ? LabelAnswer<Told>
  : [Told] extends [number]
    ? NumberAnswer
    : [Told] extends [readonly number[]]
      ? NumbersAnswer
      : [Told] extends [readonly (infer Label extends string)[]]
        ? LabelsAnswer<Label>
        : never;

export interface PredictOptions {
  /** What becomes of names and values that are none of the row's; as the model's card says when omitted. */
  readonly unknown?: Unknown;
}

/** The bytes of a PNG or JPEG file, or pixels as a canvas has them: red, green, blue and alpha, row by row. */
export type PictureSample =
  | Uint8Array
  | ArrayBuffer
  | { readonly data: Uint8Array | Uint8ClampedArray; readonly width: number; readonly height: number };

/** A model that takes a `Sample` and tells what `Answer` says. */
export interface Predictor<Sample, Told> {
  readonly name: string;
  readonly version: string;
  /** @throws an error named `PredictError` for what is none of the model's samples: one line with where, what was expected and what came */
  predict(sample: Sample, options?: PredictOptions): Promise<Answer<Told>>;
  /** One answer for each. @throws as `predict`, and nothing is answered then */
  predictMany(samples: readonly Sample[], options?: PredictOptions): Promise<readonly Answer<Told>[]>;
}
