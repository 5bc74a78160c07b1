/**
 * Types of a model that a program calls: without HTTP (`image.mjs`), or over HTTP (the file that `bn-edge client`
 * writes). Samples go in, answers come out. The file holds types only.
 */

/**
 * Decides how to handle names that are not columns, and values that do not belong to their column: `refuse` refuses the
 * row; `ignore` leaves such names out; `fill` also counts such values as missing, in columns that had missing values in
 * training.
 */
export type Unknown = 'refuse' | 'ignore' | 'fill';

/** The answer of a model for classes. */
export interface LabelAnswer<Label extends string = string> {
  /** Null when the model's output is not finite. */
  readonly label: Label | null;
  /** Null when the model gives no probability, and when its output is not finite. */
  readonly probability: number | null;
  readonly probabilities?: Readonly<Record<Label, number>>;
  /**
   * Lists what was left out or filled, what is far from the values of training, and `not a number` for an output that
   * is not finite.
   */
  readonly warnings?: readonly string[];
}

/** The answer of a model whose labels do not exclude each other. */
export interface LabelsAnswer<Label extends string = string> {
  /**
   * Lists all labels that apply: with a probability of at least 0.5, or the one that the card gives for the label; null
   * when the output is not finite.
   */
  readonly labels: readonly Label[] | null;
  readonly probabilities?: Readonly<Record<Label, number>>;
  readonly warnings?: readonly string[];
}

/** The answer of a model for a number. */
export interface NumberAnswer {
  /** Null when the model's output is not finite. */
  readonly value: number | null;
  /**
   * The interval around the value, for a model whose card has one: the interval's share of the values lies between
   * `low` and `high`. Null when `value` is.
   */
  readonly low?: number | null;
  readonly high?: number | null;
  readonly warnings?: readonly string[];
}

/** The answer of a model for several numbers. */
export interface NumbersAnswer {
  /** Null when not all numbers of the output are finite. */
  readonly values: readonly number[] | null;
  readonly warnings?: readonly string[];
}

/** The answer of a model that answers a `'yes' | 'no'`, a list of such labels, a `number`, or a list of numbers. */
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
  /** Decides how to handle unknown names and values of a row; by default as the model's card says. */
  readonly unknown?: Unknown;
}

/** The bytes of a PNG or JPEG file, or pixels as a canvas has them: red, green, blue and alpha, row by row. */
export type PictureSample =
  | Uint8Array
  | ArrayBuffer
  | { readonly data: Uint8Array | Uint8ClampedArray; readonly width: number; readonly height: number };

/** A model that takes a `Sample` and answers a value of the type `Told`. */
export interface Predictor<Sample, Told> {
  readonly name: string;
  readonly version: string;
  /**
   * @throws an error named `PredictError` when the model does not take the sample: one line with where, what was
   * expected and what came
   */
  predict(sample: Sample, options?: PredictOptions): Promise<Answer<Told>>;
  /**
   * Returns one answer for each sample.
   * @throws as `predict`, and then answers no sample
   */
  predictMany(samples: readonly Sample[], options?: PredictOptions): Promise<readonly Answer<Told>[]>;
}
