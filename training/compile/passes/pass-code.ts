/**
 * Emits a pass as two functions. The first processes some parts of the vectors: all results are computed from all
 * inputs. Parts do not depend on each other, so threads may share them. The second function follows when all parts are
 * done.
 *
 *     parts from .. end    s = the single numbers that the pass reads, four times each
 *                          for each part p, for each vector i of the part
 *                            out₀[i], out₁[i], … = trees(in₀[i], in₁[i], …, s)   all reads precede the first write
 *                            sums[p] = sums[p] ∘ tree(…)                            for each fold
 *     after                result = sums[0] ∘ sums[1] ∘ …
 *
 * A vector may be read and written at the same address. A part has a thousand numbers, so that the error of a sum grows
 * with the square root of what a single sum would have. Elements of the last vector beyond the end have no effect.
 * Denormals are written as zeros.
 */
import { at, present } from '../../arrays/index.ts';
import type { Tensor, Value } from '../../graph/index.ts';
import { vectorBytes, vectorsFor } from '../buffer.ts';
import { numbersOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import { evaluateAll, type Expression, flushed, type LaneType, numberOf, operandOf } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
import { expressionOf, laneTypeOf } from '../expression/of-node.ts';
import { acrossLanes, foldIntoTotal, foldTwo, neutral, startFolds } from '../kernels/row.ts';
import { sizeOf } from '../lower/lowering.ts';
import {
  advance,
  type Code,
  get,
  i32,
  lastLanes,
  load,
  loadSplat,
  type Locals,
  localsOf,
  plus,
  set,
  splat,
  store,
  storeLane,
  vector,
  type Wat,
} from '../wat.ts';
import type { Folding, Pass } from './schedule.ts';

export interface Places {
  /** Returns the address of a value after its pass has ended. */
  readonly addressOf: (value: Value) => number;
  /** Is true where anything besides its own pass reads the value. */
  readonly isKept: (value: Value) => boolean;
  /** Returns the address of the sums of `parts` parts, a vector each. */
  readonly sumsAt: (folding: Folding, parts: number) => number;
}

export interface PassCode {
  readonly parts: number;
  /** The function of `(from, end)`; absent where there are no parts. */
  readonly each: Code | undefined;
  readonly after: Code;
}

/** The vectors of a part: a page of each operand. */
const partVectors = 256;
export const partElements = 4 * partVectors;
const partBytes = partVectors * vectorBytes;

interface Operand {
  readonly address: number;
  readonly isSingle: boolean;
}

export function passCode(pass: Pass, { addressOf, isKept, sumsAt }: Places): PassCode {
  const { trees, operands } = treesOf(pass, addressOf);
  const treeOf = ({ name }: Value): Expression => present(trees.get(name));
  const kept = pass.nodes.flatMap(({ outputs: [value] }) =>
    isKept(value) ? [{ tree: flushed(treeOf(value)), address: addressOf(value) }] : [],
  );
  // Where nothing is folded, elements beyond the end do no harm.
  const whole = pass.folds.length === 0 ? vectorsFor(pass.count) : Math.floor(pass.count / 4);
  const parts = Math.ceil(whole / partVectors);
  const sums = pass.folds.map((folding) => sumsAt(folding, parts));
  const results = pass.folds.map(({ result }) => addressOf(result));
  const vectors = { pass, operands, kept, folded: pass.folds.map(({ data }) => treeOf(data)), whole };
  return {
    parts,
    each: parts > 0 ? codeOfParts(vectors, sums) : undefined,
    after: codeAfterParts(vectors, parts, sums, results),
  };
}

/** A pass, with the expressions of its values. */
interface Vectors {
  readonly pass: Pass;
  readonly operands: readonly Operand[];
  /** The values that are written to memory. */
  readonly kept: readonly { readonly tree: Expression; readonly address: number }[];
  /** The values that are folded. */
  readonly folded: readonly Expression[];
  /**
   * The number of vectors in all parts: where something is folded, a last one with elements beyond the end is in none.
   */
  readonly whole: number;
}

/** Returns the function that processes some parts. */
function codeOfParts(vectors: Vectors, sums: readonly number[]): Code {
  const { pass, whole } = vectors;
  const lines = new Lines('v');
  const end = i32(whole * vectorBytes);
  const part = [
    set('i', `(i32.mul ${get('from')} ${i32(partBytes)})`),
    set('stop', plus(get('i'), partBytes)),
    set('stop', `(select ${get('stop')} ${end} (i32.lt_u ${get('stop')} ${end}))`),
    ...startFolds(pass.folds, 'part'),
    ...loop('vectors', advance('i', vectorBytes), 'i', get('stop'), vectorCode(vectors, lines, false)),
    ...sums.map((address, k) => store(sumAt('from'), get(`part${k}`), address)),
  ];
  return {
    about: [],
    params: ['from', 'end'],
    locals: localsOfPass(vectors, lines, 'stop'),
    body: [...readSingles(vectors), ...loop('parts', set('from', plus(get('from'), 1)), 'from', get('end'), part)],
  };
}

/** Returns the function that folds the sums of all parts, and the last vector if it is in none of them. */
function codeAfterParts(vectors: Vectors, parts: number, sums: readonly number[], results: readonly number[]): Code {
  const { pass, whole } = vectors;
  const lines = new Lines('w');
  const addSums = sums.map((address, k) => foldIntoTotal(at(pass.folds, k).fold, k, load(sumAt('p'), address)));
  const last = [
    set('i', i32(whole * vectorBytes)),
    ...startFolds(pass.folds, 'part'),
    ...vectorCode(vectors, lines, true),
  ];
  const hasRest = vectorsFor(pass.count) > whole;
  return {
    about: [],
    params: [],
    locals: localsOfPass(vectors, lines, 'p'),
    body: [
      ...startFolds(pass.folds, 'total'),
      ...(sums.length > 0 && parts > 0
        ? [set('p', i32(0)), ...loop('sums', set('p', plus(get('p'), 1)), 'p', i32(parts), addSums)]
        : []),
      ...(hasRest
        ? [
            ...readSingles(vectors),
            ...last,
            ...pass.folds.map(({ fold }, k) => foldIntoTotal(fold, k, get(`part${k}`))),
          ]
        : []),
      ...pass.folds.flatMap((folding, k) => writeFold(folding, k, pass.count, at(results, k))),
    ],
  };
}

/** Emits the code of one vector. The last one is folded only as far as its elements belong to the pass. */
function vectorCode({ pass, operands, kept, folded }: Vectors, lines: Lines, isLast: boolean): readonly Wat[] {
  const values = evaluateAll(lines, [...kept.map(({ tree }) => tree), ...folded], reads(operands));
  kept.forEach(({ address }, i) => {
    const write = pass.count === 1 ? storeLane.bind(null, 0) : store;
    lines.add(write(get('i'), at(values, i), address));
  });
  pass.folds.forEach(({ fold }, k) => {
    const value = at(values, kept.length + k);
    const within = isLast ? vector('v128.bitselect', value, splat(neutral[fold]), lastLanes(pass.count)) : value;
    lines.add(set(`part${k}`, foldTwo(fold, get(`part${k}`), within)));
  });
  return lines.statements;
}

const localsOfPass = ({ pass, operands }: Vectors, lines: Lines, counter: string): Locals => ({
  ...localsOf('i32', 'i', counter),
  ...localsOf('v128', ...operands.map((_, k) => `s${k}`), ...pass.folds.flatMap((_, k) => [`part${k}`, `total${k}`])),
  ...lines.locals,
});

/** Loads the single numbers that the pass reads. */
const readSingles = ({ operands }: Vectors): readonly Wat[] =>
  operands.flatMap(({ address, isSingle }, k) => (isSingle ? [set(`s${k}`, loadSplat(i32(0), address))] : []));

/** Emits a loop that runs at least once. */
const loop = (name: string, next: Wat, counter: string, until: Wat, body: readonly Wat[]): readonly Wat[] => [
  `(loop $${name}`,
  ...body,
  next,
  `(br_if $${name} (i32.lt_u ${get(counter)} ${until})))`,
];

const sumAt = (part: string): Wat => `(i32.mul ${get(part)} ${i32(vectorBytes)})`;

/** Returns the expression of each value of the pass, and the operands that it reads from memory. */
function treesOf({ nodes, folds }: Pass, addressOf: (value: Value) => number) {
  const trees = new Map<string, Expression>();
  const operands: Operand[] = [];
  const look = (node: Parameters<typeof laneTypeOf>[0], value: Value): Expression => {
    const known = trees.get(value.name);
    if (known) return known;
    const type = laneTypeOf(node, value);
    if (value.dtype !== 'float32' && value.dtype !== 'int32' && value.dtype !== 'bool')
      throw uncovered(node, `expected float32, int32 or bool, got ${value.dtype} for ${value.name}`);
    const isSingle = sizeOf(value) === 1;
    if (value.constant && !isSingle) throw uncovered(node, `expected a single stored number, got ${value.name}`);
    const tree = value.constant
      ? storedNumber(value.constant, type)
      : operandOf(operands.push({ address: addressOf(value), isSingle }) - 1, type);
    trees.set(value.name, tree);
    return tree;
  };
  for (const node of nodes) {
    const inputs = node.inputs.map((value: Value) => look(node, value));
    trees.set(node.outputs[0].name, expressionOf(node, inputs));
  }
  for (const { data, result } of folds) {
    if (data.dtype !== 'float32')
      throw uncovered({ name: result.name, op: 'ReduceSum' }, `expected float32, got ${data.dtype}`);
    look({ name: result.name, op: 'ReduceSum' }, data);
  }
  return { trees, operands };
}

function storedNumber(constant: Tensor, type: LaneType): Expression {
  const number = at(numbersOf(constant), 0);
  return numberOf(type === 'mask' ? -number : number, type);
}

const reads = (operands: readonly Operand[]): readonly Wat[] =>
  operands.map(({ address, isSingle }, k) => (isSingle ? get(`s${k}`) : load(get('i'), address)));

function writeFold({ fold, mean }: Folding, k: number, count: number, address: number): readonly Wat[] {
  const total = get(`total${k}`);
  const result = mean ? vector('f32x4.div', total, splat(count)) : total;
  return [...acrossLanes(fold, `total${k}`), storeLane(0, i32(0), result, address)];
}
