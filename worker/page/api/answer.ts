/** Reads what a model answers, whichever path was asked. */

/** Holds a probability for each label, in the order of the labels. */
export interface ClassesAnswer {
  readonly kind: 'classes';
  /** The most probable label; null when the model's output is not finite. */
  readonly label: string | null;
  /** Lists the labels that apply, when several can. */
  readonly applying?: readonly string[];
  readonly shares: ReadonlyMap<string, number>;
  readonly warnings: readonly string[];
}

export interface NumbersAnswer {
  readonly kind: 'numbers';
  readonly values: readonly (number | null)[];
  /** The interval around the only value. */
  readonly interval?: readonly [low: number, high: number];
  readonly warnings: readonly string[];
}

/** The answer of a model whose card does not say what its numbers mean. */
export interface TensorsAnswer {
  readonly kind: 'tensors';
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: readonly unknown[];
  }[];
  readonly warnings: readonly string[];
}

export type Answer = ClassesAnswer | NumbersAnswer | TensorsAnswer;

/** A prediction of KServe's V1 protocol. */
export interface RowPrediction {
  readonly label?: string | null;
  readonly labels?: readonly string[] | null;
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly value?: number | null;
  readonly values?: readonly number[] | null;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly warnings?: readonly string[];
}

/** @param order the order of the labels, which an object does not keep when they are whole numbers */
export function answerOfRow(row: RowPrediction, order: readonly string[] = []): Answer {
  const { label = null, labels, probabilities = {}, value = null, values = [value], warnings = [] } = row;
  const { low = null, high = null } = row;
  if (!('label' in row) && labels === undefined) {
    const interval = low === null || high === null ? {} : { interval: [low, high] as const };
    return { kind: 'numbers', values: values ?? [null], ...interval, warnings };
  }
  const named =
    order.length > 0 ? order.filter((name) => Object.hasOwn(probabilities, name)) : Object.keys(probabilities);
  const shares = new Map(named.map((name) => [name, probabilities[name] ?? NaN]));
  return {
    kind: 'classes',
    label: labels === undefined ? label : bestOf(shares),
    ...(labels && { applying: labels }),
    shares,
    warnings,
  };
}

interface Ranked {
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

export interface Classified {
  readonly label: string | null;
  readonly labels?: readonly string[] | null;
  readonly top: readonly Ranked[];
  readonly warnings?: readonly string[];
}

export function answerOfClasses({ label, labels, top, warnings = [] }: Classified): ClassesAnswer {
  const shares = new Map(top.toSorted((a, b) => a.index - b.index).map((ranked) => [ranked.label, ranked.probability]));
  return { kind: 'classes', label, ...(labels && { applying: labels }), shares, warnings };
}

const bestOf = (shares: ReadonlyMap<string, number>): string | null =>
  [...shares].reduce<[string | null, number]>((best, next) => (next[1] > best[1] ? next : best), [null, -1])[0];

/** Returns the part of an answer that is compared when something changes: the share of a class, or the first number. */
export function scoreIn(answer: Answer, label: string | null): number {
  if (answer.kind === 'classes') return answer.shares.get(label ?? '') ?? NaN;
  return answer.kind === 'numbers' ? (answer.values[0] ?? NaN) : NaN;
}
