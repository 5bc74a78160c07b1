/**
 * Emits a pass over one row as a function of the row:
 *
 *     s = the single numbers it reads, four times each
 *     for each run of the row
 *       for each two vectors i of the run
 *         out₀[i], out₁[i], … = trees(in₀[i], in₁[i], …, s)
 *         part = part ∘ tree(…)                                  for each fold, and each of the two vectors
 *       total = total ∘ parts
 *
 * Where tensors are read or written in another order, a table lists where each run is.
 */
import { at, present } from '../../arrays/index.ts';
import type { Value } from '../../graph/index.ts';
import { vectorBytes } from '../buffer.ts';
import { evaluateAll, type Expression } from '../expression/expression.ts';
import { Lines } from '../expression/lines.ts';
import { expressionOf, laneTypeOf } from '../expression/of-node.ts';
import { acrossLanes, type Fold, foldIntoTotal, foldTwo, neutral, startFolds } from '../kernels/row.ts';
import type { Folding, Pass } from '../passes/schedule.ts';
import { leafOf } from './form.ts';
import {
  type Code,
  firstLanes,
  get,
  i32,
  load,
  loadSplat,
  type Locals,
  localsOf,
  plus,
  range,
  set,
  splat,
  store,
  storeLane,
  vector,
  type Wat,
} from '../wat.ts';

/** The position of a value, in bytes. `own` means the thread's memory, which has room for one row. */
export interface Place {
  readonly address: number;
  readonly own: boolean;
  /** The distances between rows and between runs; 0 for one number. */
  readonly row: number;
  readonly run: number;
  /** The address of the table with the runs' distances from the row's start, where they are not `run` apart. */
  readonly table?: number;
}

export interface PassPlaces {
  /** The pass has `runs` runs of `run` elements; a single number is one run of one element. */
  readonly runs: number;
  readonly run: number;
  readonly readOf: (value: Value) => Place;
  /** Returns all places where a value is to be written. */
  readonly writesOf: (value: Value) => readonly Place[];
}

export function rowCode(pass: Pass, places: PassPlaces): Code {
  const { runs, run, writesOf } = places;
  const { trees, operands } = treesOf(pass, places);
  const kept = pass.nodes.flatMap(({ outputs: [value] }) => {
    const writes = writesOf(value);
    return writes.length > 0 ? [{ tree: treeIn(trees, value), writes }] : [];
  });
  const folded = pass.folds.map(({ fold, data }) => ({ fold, tree: treeIn(trees, data) }));
  const pointers = new Pointers(pass.count > 1);
  const vectors = runCode({ operands, kept, folded, pointers }, run);
  const inRun = [...pointers.starts, ...(pass.count > 1 ? [set('i', i32(0))] : []), ...vectors.body];
  return {
    about: [],
    params: ['row', 'own'],
    locals: {
      ...localsOf('i32', 'r', 'i', 'stop', ...pointers.names),
      ...localsOf(
        'v128',
        ...operands.map((_, k) => `s${k}`),
        ...pass.folds.flatMap((_, k) => [`part${k}`, `other${k}`, `total${k}`]),
      ),
      ...vectors.locals,
    },
    body: [
      ...operands.flatMap(({ place, isSingle }, k) =>
        isSingle ? [set(`s${k}`, loadSplat(numberAt(place), place.address))] : [],
      ),
      ...startFolds(folded, 'total'),
      set('r', i32(0)),
      ...(runs === 1 ? inRun : loop('runs', `(local.tee $r ${plus(get('r'), 1)})`, i32(runs), inRun)),
      ...pass.folds.flatMap((folding, k) => writeTotal(folding, k, pass.count, writesOf(folding.result))),
    ],
  };
}

/** A pass, with the expressions of its values. */
interface Vectors {
  readonly operands: readonly Operand[];
  /** The values that are written, each to one place or several. */
  readonly kept: readonly { readonly tree: Expression; readonly writes: readonly Place[] }[];
  readonly folded: readonly Folded[];
  readonly pointers: Pointers;
}

interface Folded {
  readonly fold: Fold;
  readonly tree: Expression;
}

/** The locals that point to the run of a place. Places that move alike share one. */
class Pointers {
  readonly #isRow: boolean;
  readonly #found = new Map<string, { readonly name: string; readonly place: Place }>();

  /** @param isRow whether the pass has vectors, at the local `i` of their runs, or a single number */
  constructor(isRow: boolean) {
    this.#isRow = isRow;
  }

  /** Returns the offset of the current vector, without the place's address. */
  at(place: Place): Wat {
    const key = [place.own, place.row, place.run, place.table].join();
    const pointer = this.#found.get(key) ?? { name: `p${this.#found.size}`, place };
    this.#found.set(key, pointer);
    return this.#isRow ? `(i32.add ${get(pointer.name)} ${get('i')})` : get(pointer.name);
  }

  get names(): readonly string[] {
    return [...this.#found.values()].map(({ name }) => name);
  }

  /** The statements that set all pointers to the beginning of a run. */
  get starts(): readonly Wat[] {
    return [...this.#found.values()].map(({ name, place }) => set(name, pointerAt(place)));
  }
}

/** Emits the vectors of a run: in pairs, the one that is left over, and one that the run fills in part. */
function runCode(vectors: Vectors, run: number): { readonly locals: Locals; readonly body: readonly Wat[] } {
  const { folded } = vectors;
  const [whole, rest] = run > 1 ? [Math.floor(run / 4), run % 4] : [0, 1];
  const [even, odd] = [whole - (whole % 2), whole % 2];
  const [first, second, single, last] = [new Lines('v'), new Lines('u'), new Lines('t'), new Lines('w')];
  const alone = (lines: Lines, lanes: number): readonly Wat[] => [
    ...startFolds(folded, 'part'),
    ...vectorCode(vectors, lines, lanes),
    ...addSums(folded, 'part'),
  ];
  const pair = (): readonly Wat[] => [...vectorCode(vectors, first, 4), ...vectorCode(vectors, second, 4, vectorBytes)];
  const body = [
    ...(even > 0 ? inParts(even, pair(), folded) : []),
    ...(odd > 0 ? [...alone(single, 4), set('i', plus(get('i'), vectorBytes))] : []),
    ...(rest > 0 ? alone(last, rest) : []),
  ];
  return { locals: { ...first.locals, ...second.locals, ...single.locals, ...last.locals }, body };
}

/**
 * Emits the code of one vector.
 *
 * @param lanes the number of its elements that belong to the run
 * @param ahead the distance from the pointers, in bytes
 */
function vectorCode(
  { operands, kept, folded, pointers }: Vectors,
  lines: Lines,
  lanes: number,
  ahead = 0,
): readonly Wat[] {
  const reads = operands.map(({ place, isSingle }, k) =>
    isSingle ? get(`s${k}`) : load(pointers.at(place), place.address + ahead),
  );
  const trees = [...kept, ...folded].map(({ tree }) => tree);
  const values = evaluateAll(lines, trees, reads);
  kept.forEach(({ writes }, i) => {
    const value = at(values, i);
    for (const place of writes) {
      if (lanes === 4) lines.add(store(pointers.at(place), value, place.address + ahead));
      else
        for (const lane of range(lanes))
          lines.add(storeLane(lane, pointers.at(place), value, place.address + 4 * lane));
    }
  });
  folded.forEach(({ fold }, k) => {
    const value = at(values, kept.length + k);
    const within = lanes === 4 ? value : vector('v128.bitselect', value, splat(neutral[fold]), firstLanes(lanes));
    const part = ahead === 0 ? `part${k}` : `other${k}`;
    lines.add(set(part, foldTwo(fold, get(part), within)));
  });
  return lines.statements;
}

/** Adds sums to the totals. */
const addSums = (folded: readonly Folded[], local: string): readonly Wat[] =>
  folded.map(({ fold }, k) => foldIntoTotal(fold, k, get(`${local}${k}`)));

/** Folds the lanes of a total, and writes the result. */
function writeTotal({ fold, mean }: Folding, k: number, count: number, writes: readonly Place[]): readonly Wat[] {
  const total = get(`total${k}`);
  const value = mean ? vector('f32x4.div', total, splat(count)) : total;
  return [
    ...acrossLanes(fold, `total${k}`),
    ...writes.map((place) => storeLane(0, numberAt(place), value, place.address)),
  ];
}

const times = (local: string, factor: number): Wat => `(i32.mul ${get(local)} ${i32(factor)})`;

/** Returns the offset of a row's number, or of a number for all rows, without its address. */
const numberAt = ({ own, row }: Place): Wat => (own ? get('own') : row === 0 ? i32(0) : times('row', row));

/** Returns the offset of a run's first element, without its address. */
function pointerAt({ own, row, run, table }: Place): Wat {
  const start = own ? get('own') : times('row', row);
  if (table !== undefined) return `(i32.add ${start} (i32.load offset=${table} ${times('r', 4)}))`;
  return run === 0 ? start : `(i32.add ${start} ${times('r', run)})`;
}

interface Operand {
  readonly place: Place;
  readonly isSingle: boolean;
}

const treeIn = (trees: ReadonlyMap<string, Expression>, { name }: Value): Expression => present(trees.get(name));

/** Returns the expression of each value of the pass, and the operands that it reads from memory. */
function treesOf({ nodes, folds }: Pass, { readOf }: PassPlaces) {
  const trees = new Map<string, Expression>();
  const operands: Operand[] = [];
  const look = (node: Parameters<typeof laneTypeOf>[0], value: Value): Expression => {
    const known = trees.get(value.name);
    if (known) return known;
    const tree = leafOf(value, laneTypeOf(node, value), operands.length);
    if (tree.kind === 'operand') operands.push({ place: readOf(value), isSingle: value.shape.length === 0 });
    trees.set(value.name, tree);
    return tree;
  };
  for (const node of nodes) {
    const inputs = node.inputs.map((value: Value) => look(node, value));
    trees.set(node.outputs[0].name, expressionOf(node, inputs));
  }
  for (const { data, result } of folds) look({ name: result.name, op: 'ReduceSum' }, data);
  return { trees, operands };
}

/** The number of vectors whose sum is one part, so that its error stays small. */
const partVectors = 256;

/** Emits a loop over pairs of vectors. Where they are folded, the sums of long runs are divided into parts. */
function inParts(vectors: number, pair: readonly Wat[], folded: readonly Folded[]): readonly Wat[] {
  const bytes = i32(vectors * vectorBytes);
  const through = (until: Wat): readonly Wat[] =>
    loop('vectors', get('i'), until, [...pair, set('i', plus(get('i'), 2 * vectorBytes))]);
  if (folded.length === 0) return through(bytes);
  const start = [...startFolds(folded, 'part'), ...startFolds(folded, 'other')];
  const add = [...addSums(folded, 'part'), ...addSums(folded, 'other')];
  if (vectors <= partVectors) return [...start, ...through(bytes), ...add];
  return loop('parts', get('i'), bytes, [
    set('stop', plus(get('i'), partVectors * vectorBytes)),
    set('stop', `(select ${get('stop')} ${bytes} (i32.lt_u ${get('stop')} ${bytes}))`),
    ...start,
    ...through(get('stop')),
    ...add,
  ]);
}

/** Emits a loop that runs at least once, as long as a number is below a limit. */
const loop = (name: string, number: Wat, limit: Wat, body: readonly Wat[]): readonly Wat[] => [
  `(loop $${name}`,
  ...body,
  `(br_if $${name} (i32.lt_u ${number} ${limit})))`,
];
