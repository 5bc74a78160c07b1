/** Describes a model as the Worker does. */

interface ColumnOf<Kind extends string, Value> {
  readonly kind: Kind;
  readonly name: string;
  /** Is true when a value must be present. */
  readonly required: boolean;
  /** Replaces a missing value; absent when missing values are a category of their own. */
  readonly fill?: Value;
  /**
   * The most frequent value of training, the mean, or the date in the middle; absent when the card is older than this
   * entry.
   */
  readonly typical?: Value;
}

export interface NumericColumn extends ColumnOf<'numeric', number> {
  readonly unit?: string;
  /** The minimum and the maximum of training. */
  readonly range?: readonly [number, number];
}

export interface CategoricalColumn extends ColumnOf<'categorical', string> {
  readonly categories: readonly string[];
}

export interface DateColumn extends Omit<ColumnOf<'date', string>, 'fill'> {
  readonly parts: readonly string[];
  readonly years: readonly [number, number];
  readonly range?: readonly [string, string];
}

export type Column = NumericColumn | CategoricalColumn | DateColumn;

export interface TensorInfo {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface PictureInfo {
  readonly rows: number;
  readonly columns: number;
  readonly channels: 1 | 3;
  readonly drawing?: true;
}

/** Measures whether the probabilities of answers were the shares of them that were right. */
export interface Calibration {
  readonly error: number;
  readonly bins: readonly {
    readonly from: number;
    readonly to: number;
    readonly samples: number;
    readonly confidence: number;
    readonly accuracy: number;
  }[];
}

/** Measures how much worse the model is when a column's values are shuffled among the rows. */
export interface Importance {
  readonly measure: string;
  readonly rows: number;
  readonly repeats: number;
  readonly columns: readonly { readonly name: string; readonly mean: number; readonly deviation: number }[];
}

export interface Metadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly parameters: {
    readonly description?: string;
    readonly labels?: readonly string[];
    readonly output?: { readonly name: string; readonly kind: 'logits' | 'probabilities' | 'multi-label' | 'number' };
    readonly columns?: readonly Column[];
    readonly picture?: PictureInfo;
    readonly explain?: true;
    /** Is present when the path `drift` reports how far requests are from training. */
    readonly drift?: true;
    readonly explains_rows?: true;
    readonly threshold?: Readonly<Record<string, number>>;
    readonly interval?: { readonly level: number; readonly half_width: number; readonly coverage?: number };
    readonly calibration?: Calibration;
    readonly importance?: Importance;
    readonly remarks?: readonly string[];
  };
}

export interface Model extends Metadata {
  readonly version: string;
}

/** Returns the path at which a model answers, below the page's address. */
export function pathOf(
  protocol: 'v1' | 'v2',
  { name, version, versions }: Pick<Model, 'name' | 'version' | 'versions'>,
) {
  const end = version === versions[0] ? '' : `/versions/${encodeURIComponent(version)}`;
  return `${protocol}/models/${encodeURIComponent(name)}${end}`;
}

/** Is true when the answer is one of several classes, or some of several labels. */
export const answersClasses = ({ parameters: { output } }: Model): boolean =>
  output !== undefined && output.kind !== 'number';
