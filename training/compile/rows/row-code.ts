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
import { acrossLanes, foldTwo, neutral } from '../kernels/row.ts';
import type { Pass } from '../passes/schedule.ts';
import { leafOf } from './form.ts';
import {
  type Code,
  firstLanes,
  get,
  i32,
  load,
  loadSplat,
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

/** The number of vectors whose sum is one part. */
const partVectors = 256;

export function rowCode(pass: Pass, places: PassPlaces): Code {
  const { runs, run, writesOf } = places;
  const isRow = pass.count > 1;
  const { trees, operands } = treesOf(pass, places);
  const pointers = new Map<string, { readonly name: string; readonly place: Place }>();
  /** Returns the local that points to the run of a place. Places that move alike share it. */
  const pointerOf = (place: Place): Wat => {
    const key = [place.own, place.row, place.run, place.table].join();
    const known = pointers.get(key) ?? { name: `p${pointers.size}`, place };
    pointers.set(key, known);
    return get(known.name);
  };
  const addressAt = (place: Place): Wat => (isRow ? `(i32.add ${pointerOf(place)} ${get('i')})` : pointerOf(place));
  const kept = pass.nodes.flatMap(({ outputs: [value] }) => {
    const writes = writesOf(value);
    return writes.length > 0 ? [{ value, writes }] : [];
  });
  const treeOf = ({ name }: Value): Expression => present(trees.get(name));
  const wanted = [...kept.map(({ value }) => treeOf(value)), ...pass.folds.map(({ data }) => treeOf(data))];
  const [whole, rest] = isRow ? [Math.floor(run / 4), run % 4] : [0, 1];
  /** @param ahead the distance from the pointers, in bytes */
  const body = (lines: Lines, lanes: number, ahead = 0): readonly Wat[] => {
    const reads = operands.map(({ place, isSingle }, k) =>
      isSingle ? get(`s${k}`) : load(addressAt(place), place.address + ahead),
    );
    const values = evaluateAll(lines, wanted, reads);
    kept.forEach(({ writes }, i) => {
      for (const place of writes) {
        const value = at(values, i);
        if (lanes === 4) lines.add(store(addressAt(place), value, place.address + ahead));
        else
          for (const lane of range(lanes))
            lines.add(storeLane(lane, addressAt(place), value, place.address + 4 * lane));
      }
    });
    pass.folds.forEach(({ fold }, k) => {
      const value = at(values, kept.length + k);
      const within = lanes === 4 ? value : vector('v128.bitselect', value, splat(neutral[fold]), firstLanes(lanes));
      const part = ahead === 0 ? `part${k}` : `other${k}`;
      lines.add(set(part, foldTwo(fold, get(part), within)));
    });
    return lines.statements;
  };
  const start = (local: string) => pass.folds.map(({ fold }, k) => set(`${local}${k}`, splat(neutral[fold])));
  const addParts = (local: string) =>
    pass.folds.map(({ fold }, k) => set(`total${k}`, foldTwo(fold, get(`total${k}`), get(`${local}${k}`))));
  const [even, odd] = [whole - (whole % 2), whole % 2];
  const [first, second, single, last] = [new Lines('v'), new Lines('u'), new Lines('t'), new Lines('w')];
  const inPairs = [...body(first, 4), ...body(second, 4, vectorBytes)];
  const vectors = [
    ...(even > 0
      ? inParts(even, inPairs, [...start('part'), ...start('other')], [...addParts('part'), ...addParts('other')])
      : []),
    ...(odd > 0
      ? [...start('part'), ...body(single, 4), ...addParts('part'), set('i', plus(get('i'), vectorBytes))]
      : []),
  ];
  const remainder = rest > 0 ? [...start('part'), ...body(last, rest), ...addParts('part')] : [];
  const folded = pass.folds.flatMap(({ fold, mean, result }, k) => {
    const total = get(`total${k}`);
    const value = mean ? vector('f32x4.div', total, splat(pass.count)) : total;
    return [
      ...acrossLanes(fold, `total${k}`),
      ...writesOf(result).map((place) => storeLane(0, numberAt(place), value, place.address)),
    ];
  });
  const inRun = [
    ...[...pointers.values()].map(({ name, place }) => set(name, pointerAt(place))),
    ...(isRow ? [set('i', i32(0))] : []),
    ...vectors,
    ...remainder,
  ];
  return {
    about: [],
    params: ['row', 'own'],
    locals: {
      ...localsOf('i32', 'r', 'i', 'stop', ...[...pointers.values()].map(({ name }) => name)),
      ...localsOf(
        'v128',
        ...operands.map((_, k) => `s${k}`),
        ...pass.folds.flatMap((_, k) => [`part${k}`, `other${k}`, `total${k}`]),
      ),
      ...(even > 0 ? { ...first.locals, ...second.locals } : {}),
      ...(odd > 0 ? single.locals : {}),
      ...last.locals,
    },
    body: [
      ...operands.flatMap(({ place, isSingle }, k) =>
        isSingle ? [set(`s${k}`, loadSplat(numberAt(place), place.address))] : [],
      ),
      ...start('total'),
      ...(runs === 1
        ? [set('r', i32(0)), ...inRun]
        : [
            set('r', i32(0)),
            '(loop $runs',
            ...inRun,
            `(br_if $runs (i32.lt_u (local.tee $r ${plus(get('r'), 1)}) ${i32(runs)})))`,
          ]),
      ...folded,
    ],
  };
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

function inParts(vectors: number, body: readonly Wat[], start: readonly Wat[], add: readonly Wat[]): readonly Wat[] {
  const bytes = i32(vectors * vectorBytes);
  const loop = (name: string, until: Wat, inside: readonly Wat[]): readonly Wat[] => [
    `(loop $${name}`,
    ...inside,
    `(br_if $${name} (i32.lt_u ${get('i')} ${until})))`,
  ];
  const through = (until: Wat) => loop('vectors', until, [...body, set('i', plus(get('i'), 2 * vectorBytes))]);
  if (start.length === 0) return through(bytes);
  if (vectors <= partVectors) return [...start, ...through(bytes), ...add];
  return loop('parts', bytes, [
    set('stop', plus(get('i'), partVectors * vectorBytes)),
    set('stop', `(select ${get('stop')} ${bytes} (i32.lt_u ${get('stop')} ${bytes}))`),
    ...start,
    ...through(get('stop')),
    ...add,
  ]);
}
