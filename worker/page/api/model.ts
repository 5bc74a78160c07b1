/** What a model is, as the Worker tells it. */

interface ColumnOf<Kind extends string, Value> {
  readonly kind: Kind;
  readonly name: string;
  /** Whether a value may not be missing. */
  readonly required: boolean;
  /** What stands in for a missing value; absent where that is a place of its own. */
  readonly fill?: Value;
  /** What training saw most, or in the middle; absent where the card is from before it was told. */
  readonly typical?: Value;
}

export interface NumericColumn extends ColumnOf<'numeric', number> {
  readonly unit?: string;
  /** The least and the greatest of training. */
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

/** Whether the probabilities of answers were the shares of them that were right. */
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

/** How much worse the model is when a column's values are dealt to other rows. */
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
    /** Whether the path drift tells how far it is from its training. */
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

/** Where a model answers, below the page's address. */
export function pathOf(
  protocol: 'v1' | 'v2',
  { name, version, versions }: Pick<Model, 'name' | 'version' | 'versions'>,
) {
  const end = version === versions[0] ? '' : `/versions/${encodeURIComponent(version)}`;
  return `${protocol}/models/${encodeURIComponent(name)}${end}`;
}

/** Whether the answer is one of classes, or some of several. */
export const answersClasses = ({ parameters: { output } }: Model): boolean =>
  output !== undefined && output.kind !== 'number';
