/**
 * A pass as a function: one loop over vectors, in which all that it writes is computed from all that it reads.
 *
 *     s = the single numbers it reads, four times each
 *     for each vector i
 *       out₀[i], out₁[i], … = trees(in₀[i], in₁[i], …, s)        every read stands before the first write
 *       part = part ∘ tree(…)                                     for each fold
 *
 * A vector may be read and written at the same address. Sums are sums of parts of a few thousand numbers, so that the error grows with
 * the square root of what it would be; what the last vector has beyond the end changes nothing. Denormals are written as zeros.
 */
import type { Value } from '../../graph/index.ts';
import { vectorBytes, vectorsFor } from '../buffer.ts';
import { numbersOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import { evaluateAll, type Expression, flushed, numberOf, operandOf } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
import { expressionOf, laneTypeOf } from '../expression/of-node.ts';
import { acrossLanes, foldTwo, neutral } from '../kernels/row.ts';
import { sizeOf } from '../lower/lowering.ts';
import {
  type Code,
  get,
  i32,
  load,
  loadSplat,
  localsOf,
  range,
  set,
  splat,
  store,
  storeLane,
  vector,
  type Wat,
} from '../wat.ts';
import type { Folding, Pass } from './schedule.ts';

export interface Places {
  /** Where a value lies when its pass has ended. */
  readonly addressOf: (value: Value) => number;
  /** Whether anything but its own pass reads it. */
  readonly isKept: (value: Value) => boolean;
}

/** Vectors whose sum is a part; a page of each operand. */
const partVectors = 256;

interface Operand {
  readonly address: number;
  readonly isSingle: boolean;
}

export function passCode(pass: Pass, { addressOf, isKept }: Places): Code {
  const { trees, operands } = treesOf(pass, addressOf);
  const kept = pass.nodes.flatMap(({ outputs: [value] }) => (isKept(value) ? [value] : []));
  const lines = { whole: new Lines('v'), last: new Lines('w') };
  const body = (part: Lines, isLast: boolean): readonly Wat[] => {
    const treeOf = ({ name }: Value) => trees.get(name) ?? numberOf(NaN);
    const wanted = [...kept.map((value) => flushed(treeOf(value))), ...pass.folds.map(({ data }) => treeOf(data))];
    const values = evaluateAll(part, wanted, reads(operands));
    kept.forEach((value, i) => {
      const write = pass.count === 1 ? storeLane.bind(null, 0) : store;
      part.add(write(get('i'), values[i] ?? '', addressOf(value)));
    });
    pass.folds.forEach(({ fold }, k) => {
      const value = values[kept.length + k] ?? '';
      const within = isLast ? vector('v128.bitselect', value, splat(neutral[fold]), lastLanes(pass.count)) : value;
      part.add(set(`part${k}`, foldTwo(fold, get(`part${k}`), within)));
    });
    return part.statements;
  };
  // Where nothing is folded, what is beyond the end does no harm.
  const whole = pass.folds.length === 0 ? vectorsFor(pass.count) : Math.floor(pass.count / 4);
  const rest = vectorsFor(pass.count) - whole;
  const folds = pass.folds.flatMap((_, k) => [`part${k}`, `total${k}`]);
  const statements = [
    ...operands.flatMap(({ address, isSingle }, k) => (isSingle ? [set(`s${k}`, loadSplat(i32(0), address))] : [])),
    ...startOf(pass.folds, 'total'),
    set('i', i32(0)),
    ...(whole > 0 ? inParts(pass.folds, whole, body(lines.whole, false)) : []),
    ...(rest > 0 ? [...startOf(pass.folds, 'part'), ...body(lines.last, true), ...addParts(pass.folds)] : []),
    ...pass.folds.flatMap((folding, k) => writeFold(folding, k, pass.count, addressOf(folding.result))),
  ];
  return {
    about: [],
    params: [],
    locals: {
      ...localsOf('i32', 'i', 'stop'),
      ...localsOf('v128', ...operands.map((_, k) => `s${k}`), ...folds),
      ...lines.whole.locals,
      ...lines.last.locals,
    },
    body: statements,
  };
}

/** What each value of the pass is, of operands that the pass reads from memory. */
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
    const [number = NaN] = value.constant && isSingle ? numbersOf(value.constant) : [];
    if (value.constant && !isSingle) throw uncovered(node, `expected a single stored number, got ${value.name}`);
    const tree = value.constant
      ? numberOf(type === 'mask' ? -number : number, type)
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

const reads = (operands: readonly Operand[]): readonly Wat[] =>
  operands.map(({ address, isSingle }, k) => (isSingle ? get(`s${k}`) : load(get('i'), address)));

const startOf = (folds: readonly Folding[], local: string): readonly Wat[] =>
  folds.map(({ fold }, k) => set(`${local}${k}`, splat(neutral[fold])));

const addParts = (folds: readonly Folding[]): readonly Wat[] =>
  folds.map(({ fold }, k) => set(`total${k}`, foldTwo(fold, get(`total${k}`), get(`part${k}`))));

function inParts(folds: readonly Folding[], vectors: number, body: readonly Wat[]): readonly Wat[] {
  const bytes = i32(vectors * vectorBytes);
  const loop = (name: string, until: Wat, inside: readonly Wat[]): readonly Wat[] => [
    `(loop $${name}`,
    ...inside,
    `(br_if $${name} (i32.lt_u ${get('i')} ${until})))`,
  ];
  const vectorsOfPart = (until: Wat) =>
    loop('vectors', until, [...body, set('i', `(i32.add ${get('i')} ${i32(vectorBytes)})`)]);
  if (folds.length === 0) return vectorsOfPart(bytes);
  const end = `(i32.add ${get('i')} ${i32(partVectors * vectorBytes)})`;
  return loop('parts', bytes, [
    set('stop', end),
    set('stop', `(select ${get('stop')} ${bytes} (i32.lt_u ${get('stop')} ${bytes}))`),
    ...startOf(folds, 'part'),
    ...vectorsOfPart(get('stop')),
    ...addParts(folds),
  ]);
}

function writeFold({ fold, mean }: Folding, k: number, count: number, address: number): readonly Wat[] {
  const total = get(`total${k}`);
  const result = mean ? vector('f32x4.div', total, splat(count)) : total;
  return [...acrossLanes(fold, `total${k}`), storeLane(0, i32(0), result, address)];
}

const lastLanes = (count: number): Wat =>
  `(v128.const i32x4 ${range(4)
    .map((lane) => (lane < ((count - 1) % 4) + 1 ? -1 : 0))
    .join(' ')})`;
