/**
 * Programs that compute tensors row by row: all passes over a row follow each other while it is in the cache, and rows may be computed by
 * several threads. What only the passes of a row read lies in a memory of the thread.
 */
import { type Value } from '../../graph/index.ts';
import { encodeText } from '../passes/encode.ts';
import type { Pass } from '../passes/schedule.ts';
import { uncovered } from '../error.ts';
import { call, comment, functionText, get, plus } from '../wat.ts';
import type { RowForm } from './form.ts';
import { type PassPlaces, type Place, rowCode } from './row-code.ts';
import type { RowGraph, RowValue, Runs } from './row-graph.ts';

export interface RowsPlacement {
  /** Where what comes from outside, or goes there, begins: by name, in bytes. */
  readonly addressOf: (name: string) => number;
  /** The first free byte behind all of it. */
  readonly free: number;
}

export interface RowsProgram {
  /** The module imports `host.memory` and exports `rows0`, `rows1`, … of (first row, row behind the last, memory of the thread). */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** What lies in memory before the first run. */
  readonly segments: readonly { readonly address: number; readonly data: Cells }[];
  /** Of a thread's own memory. */
  readonly ownBytes: number;
  /** The first byte behind the tables. */
  readonly end: number;
}

/** Of four bytes each. */
type Cells = Int32Array | Uint32Array | Float32Array;

/** @param maximum of the memory in pages, if threads share it */
export function compileRows(graphs: readonly RowGraph[], placement: RowsPlacement, maximum?: number): RowsProgram {
  const { text, ...program } = translate(graphs, placement, maximum);
  return { ...program, wasm: encodeText(text) };
}

const line = 64;
const aligned = (bytes: number): number => line * Math.ceil(bytes / line);

function translate(graphs: readonly RowGraph[], { addressOf, free }: RowsPlacement, maximum: number | undefined) {
  const segments: { address: number; data: Cells }[] = [];
  let end = free;
  const stored = new Map<string, number>();
  const storeOnce = (key: string, data: Cells): number => {
    const known = stored.get(key);
    if (known !== undefined) return known;
    const address = end;
    segments.push({ address, data });
    stored.set(key, address);
    end = aligned(end + data.byteLength);
    return address;
  };
  let ownBytes = 0;
  const functions = graphs.flatMap((graph, g) => {
    const own = new Map<string, number>();
    let ownEnd = 0;
    const ownPlace = (name: string, count: number): Place => {
      const address = own.get(name) ?? ownEnd;
      if (!own.has(name)) {
        own.set(name, address);
        ownEnd = aligned(ownEnd + 4 * count + 16);
      }
      return { address, own: true, row: 0, run: 0 };
    };
    const placeOf = planOf(graph, addressOf, ownPlace, storeOnce);
    const codes = graph.passes.map((pass, i) =>
      functionText(`rows${g}_pass${i}`, rowCode(pass, placesOf(graph, pass, placeOf))),
    );
    ownBytes = Math.max(ownBytes, ownEnd);
    const run = [
      `(func $rows${g} (export "rows${g}") (param $row i32) (param $end i32) (param $own i32)`,
      '(loop $all',
      ...graph.passes.flatMap((pass, i) => [
        comment(aboutPass(pass)),
        call(`rows${g}_pass${i}`, get('row'), get('own')),
      ]),
      `(br_if $all (i32.lt_u (local.tee $row ${plus(get('row'), 1)}) ${get('end')})))`,
      ')',
    ].join('\n');
    return [...codes, run];
  });
  const memory = maximum === undefined ? '(memory 1)' : `(memory 1 ${maximum} shared)`;
  const text = ['(module', `(import "host" "memory" ${memory})`, ...functions, ')'].join('\n');
  return { text, segments, ownBytes: Math.max(ownBytes, line), end };
}

const aboutPass = ({ count, nodes, folds }: Pass): string =>
  `${count} × ${[...nodes.map(({ outputs: [value] }) => value.name), ...folds.map(({ result }) => result.name)].join(', ')}`;

interface PlaceOf {
  readonly read: (name: string) => Place;
  readonly writes: (name: string) => readonly Place[];
}

function planOf(
  { passes, values, constants, placements, outputs }: RowGraph,
  addressOf: (name: string) => number,
  ownPlace: (name: string, count: number) => Place,
  storeOnce: (key: string, data: Cells) => number,
): PlaceOf {
  const made = new Set(passes.flatMap((pass) => [...madeBy(pass)]));
  const readLater = new Set(passes.flatMap((pass) => [...readBy(pass)]));
  const strided = (address: number, { runs, run }: RowForm, rows: number): Place =>
    runs === 1
      ? { address, own: false, row: 4 * run, run: 4 * run }
      : { address, own: false, row: 4 * run, run: 4 * run * rows };
  const tabled = (address: number, { order, form }: Runs): Place => {
    const offsets = Int32Array.from(order, (place) => 4 * form.run * place);
    const row = 4 * form.run * form.runs;
    return { address, own: false, row, run: 0, table: storeOnce(`${form.run}: ${order.join()}`, offsets) };
  };
  const valueOf = (name: string): RowValue => values.get(name) ?? { kind: 'number' };
  const outside = (name: string): Place => {
    const constant = constants.get(name)?.constant;
    const address = constant ? storeOnce(name, constant.data as Cells) : addressOf(name);
    const value = valueOf(name);
    if (value.kind === 'row') return strided(address, value.form, value.form.rows);
    return { address, own: false, row: value.kind === 'number' ? 4 : 0, run: 0 };
  };
  const inside = (name: string): Place => {
    const value = valueOf(name);
    if (value.kind !== 'row') return ownPlace(name, 1);
    const { runs, run } = value.form;
    return { ...ownPlace(name, runs * run), run: 4 * run };
  };
  return {
    read: (name) => {
      const value = valueOf(name);
      if (value.kind === 'row' && value.runs) return tabled(addressOf(value.runs.of), value.runs);
      return made.has(name) && !outputs.has(name) ? inside(name) : outside(name);
    },
    writes: (name) => [
      ...(outputs.has(name) ? [outside(name)] : readLater.has(name) ? [inside(name)] : []),
      ...placements.filter(({ part }) => part === name).map(({ into }) => tabled(addressOf(into.of), into)),
    ],
  };
}

const madeBy = ({ nodes, folds }: Pass): ReadonlySet<string> =>
  new Set([...nodes.map(({ outputs: [value] }) => value.name), ...folds.map(({ result }) => result.name)]);

/** What a pass reads from memory. */
function readBy(pass: Pass): ReadonlySet<string> {
  const own = madeBy(pass);
  const values: readonly Value[] = [
    ...pass.nodes.flatMap(({ inputs }) => inputs),
    ...pass.folds.map(({ data }) => data),
  ];
  return new Set(values.filter(({ name, constant }) => !own.has(name) && !constant).map(({ name }) => name));
}

/** The runs of a pass are the shortest of those that its tensors have. */
function placesOf({ values, placements }: RowGraph, pass: Pass, { read, writes }: PlaceOf): PassPlaces {
  const whole = { runs: 1, run: pass.count };
  const isHere = new Set([...madeBy(pass), ...readBy(pass)]);
  const cuts = [...isHere].flatMap((name) => {
    const value = values.get(name);
    return value?.kind === 'row' && value.form.runs * value.form.run === pass.count ? [value] : [];
  });
  const forms = [
    ...cuts.filter(({ form, runs }) => runs ?? form.runs > 1).map(({ form }) => form),
    ...placements
      .filter(({ part }) => isHere.has(part) && pass.nodes.some(({ outputs: [value] }) => value.name === part))
      .map(({ into: { order, form } }) => ({ runs: order.length, run: form.run })),
  ];
  const { runs, run } = pass.count === 1 ? whole : (forms[0] ?? whole);
  const other = forms.find((form) => form.runs !== runs || form.run !== run);
  if (other && pass.count > 1)
    throw uncovered(
      pass.nodes[0] ?? { name: '', op: 'ReduceSum' },
      `expected runs of ${run} elements, got ${other.run}`,
    );
  /** What lies in one piece has its runs one behind the other. */
  const inRuns = (place: Place): Place =>
    place.table === undefined && (place.own || place.row === 4 * pass.count) && pass.count > 1
      ? { ...place, run: runs === 1 ? 0 : 4 * run }
      : place;
  return {
    runs,
    run,
    readOf: ({ name }) => inRuns(read(name)),
    writesOf: ({ name }) => writes(name).map(inRuns),
  };
}
