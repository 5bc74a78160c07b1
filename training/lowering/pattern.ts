/**
 * Patterns of nodes, written as the formula that they match:
 *
 *     const { Cast, Greater, Mul } = patterns;
 *     Mul('dY', Cast(Greater('Y', 0))).match(g, node); // { dY, Y }, or undefined
 *
 * An op is a function of its operands, in the order of the specification. Operands omitted at the end may be anything.
 * An operand is
 *
 *     'x'              a name for the value that stands there; a name that occurs again matches the same value only
 *     '_'              any value
 *     0, [0, 2, 3]     a constant of that one number, or of these
 *     undefined        an input that the node does not have
 *     Relu('x')        the first output of such a node
 *     { perm: [1, 0] } after the others: attributes that the node must have
 *
 * Operands of Add, Mul, Max and Equal match in either order. If both do, the first that lets the rest of the pattern
 * match is taken.
 */
import { type Attributes, type Node, type OpNode, opSchemas, type OpType, Value } from '../graph/index.ts';
import type { Nodes } from './nodes.ts';

export type Operand = string | number | readonly number[] | undefined | Pattern<OpType, unknown>;
type Conditions<O extends OpType> = keyof Attributes<O> extends never ? never : Partial<Attributes<O>>;
type Found = Readonly<Record<string, Value | Node>>;
type FoundIn<T> = T extends Pattern<OpType, infer F> ? F : T extends string ? Readonly<Record<T, Value>> : unknown;
/** The intersection of what the members of a union find. */
type All<T> = (T extends unknown ? (found: FoundIn<T>) => void : never) extends (found: infer F) => void ? F : never;

interface Description<O extends OpType> {
  readonly op: O;
  readonly operands: readonly Operand[];
  readonly attributes: readonly (readonly [name: string, value: unknown])[];
  readonly output: number;
  readonly name?: string;
  readonly isOnce?: boolean;
  readonly test?: ((found: Found) => boolean) | undefined;
}

/** @typeParam F the values and nodes that it finds, by name */
export class Pattern<O extends OpType, F> {
  readonly #of: Description<O>;

  constructor(of: Description<O>) {
    this.#of = of;
  }

  get op(): O {
    return this.#of.op;
  }

  /** Names the node itself. Where the name occurs again, only the same node matches. */
  as = <N extends string>(name: N) => new Pattern<O, F & Readonly<Record<N, OpNode<O>>>>({ ...this.#of, name });

  /** Matches an output of the node other than the first. */
  output = (output: number) => new Pattern<O, F>({ ...this.#of, output });

  /** Matches only where nothing else reads the value. */
  once = () => new Pattern<O, F>({ ...this.#of, isOnce: true });

  /** Matches only where what has been found passes a test. */
  where = (test: (found: F) => boolean) => new Pattern<O, F>({ ...this.#of, test: test as Description<O>['test'] });

  /** @param at a node, or the value that it gives */
  match(nodes: Nodes, at: OpNode<OpType> | Value | undefined): F | undefined {
    const matches = at instanceof Value || !at ? this.matches(nodes, at, {}) : this.#matchesAt(nodes, at as Node, {});
    return matches.next().value as F | undefined;
  }

  *matches(nodes: Nodes, value: Value | undefined, found: Found): Generator<Found, undefined> {
    const { output, isOnce } = this.#of;
    const node = value && nodes.producer(value);
    if (!node || node.outputs[output]?.name !== value.name || (isOnce && nodes.reads(value) !== 1)) return;
    yield* this.#matchesAt(nodes, node, found);
  }

  *#matchesAt(nodes: Nodes, node: Node, found: Found): Generator<Found, undefined> {
    const { op, operands, attributes, name = '', test = () => true } = this.#of;
    const actual = node.attributes as Readonly<Record<string, unknown>>;
    if (node.op !== op || attributes.some(([key, wanted]) => String(actual[key]) !== String(wanted))) return;
    if (name !== '' && (found[name] ?? node).name !== node.name) return;
    const named = name === '' ? found : { ...found, [name]: node };
    for (const order of commutative.includes(op) ? [operands, operands.toReversed()] : [operands])
      for (const each of matchOperands(nodes, order, node.inputs, named)) if (test(each)) yield each;
  }
}

const commutative: readonly OpType[] = ['Add', 'Mul', 'Max', 'Equal'];

function* matchOperands(
  nodes: Nodes,
  operands: readonly Operand[],
  [value, ...values]: readonly (Value | undefined)[],
  found: Found,
): Generator<Found, undefined> {
  if (operands.length === 0) yield found;
  else
    for (const each of matchOperand(nodes, operands[0], value, found))
      yield* matchOperands(nodes, operands.slice(1), values, each);
}

function* matchOperand(nodes: Nodes, operand: Operand, value: Value | undefined, found: Found) {
  if (operand instanceof Pattern) yield* operand.matches(nodes, value, found);
  else if (!value || operand === undefined) yield* !value && operand === undefined ? [found] : [];
  else if (typeof operand !== 'string') yield* isConstant(value, [operand].flat()) ? [found] : [];
  else if (operand === '_' || (found[operand] ?? value).name === value.name) yield { ...found, [operand]: value };
}

const isConstant = ({ constant }: Value, numbers: readonly number[]): boolean =>
  constant?.data.length === numbers.length && constant.data.join() === String(numbers);

function make(op: OpType, given: readonly (Operand | object)[]) {
  const isAttributes = (each: Operand | object): each is object =>
    typeof each === 'object' && !Array.isArray(each) && !(each instanceof Pattern);
  const operands = given.filter((each) => !isAttributes(each)) as readonly Operand[];
  return new Pattern({ op, operands, attributes: Object.entries(given.find(isAttributes) ?? {}), output: 0 });
}

/** Holds for each op the function that makes its patterns. */
export const patterns = Object.fromEntries(
  (Object.keys(opSchemas) as OpType[]).map((op) => [op, (...given: readonly Operand[]) => make(op, given)]),
) as {
  readonly [O in OpType]: <const T extends readonly (Operand | Conditions<O>)[]>(
    ...operands: T
  ) => Pattern<O, All<T[number]>>;
};
