/**
 * Compiles programs that compute tensors row by row: all passes over a row follow each other while it is in the cache,
 * and several threads may compute rows. Values that only the passes of a row read lie in the thread's own memory.
 */
import { encodeText } from '../passes/encode.ts';
import { aboutPass, type Pass, readsOfPass, valuesOf } from '../passes/schedule.ts';
import { uncovered } from '../error.ts';
import { aligned, line } from '../lifetimes.ts';
import { call, comment, functionText, get, importedMemory, plus } from '../wat.ts';
import { type PassPlaces, type Place, rowCode } from './row-code.ts';
import type { RowGraph, RowValue, Runs } from './row-graph.ts';

export interface RowsPlacement {
  /** Returns the address, in bytes, of a value that is read from or written to outside. */
  readonly addressOf: (name: string) => number;
  /** The first free byte after all of them. */
  readonly free: number;
}

export interface RowsProgram {
  /**
   * The module imports `host.memory` and exports `rows0`, `rows1`, … of (first row, row after the last, memory of the
   * thread).
   */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The data that must be in memory before the first run. */
  readonly segments: readonly { readonly address: number; readonly data: Cells }[];
  /** The size of a thread's own memory. */
  readonly ownBytes: number;
  /** The first byte after the tables. */
  readonly end: number;
}

/** Elements of four bytes each. */
type Cells = Int32Array | Uint32Array | Float32Array;

/** @param maximum of the memory in pages, if threads share it */
export function compileRows(graphs: readonly RowGraph[], placement: RowsPlacement, maximum?: number): RowsProgram {
  const { text, ...program } = translate(graphs, placement, maximum);
  return { ...program, wasm: encodeText(text) };
}

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
  const text = ['(module', importedMemory(maximum), ...functions, ')'].join('\n');
  return { text, segments, ownBytes: Math.max(ownBytes, line), end };
}

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
  const made = new Set(passes.flatMap((pass) => valuesOf(pass).map(({ name }) => name)));
  const readLater = new Set(passes.flatMap((pass) => [...readsOfPass(pass)]));
  const tabled = (address: number, { order, run, count }: Runs): Place => {
    const offsets = Int32Array.from(order, (place) => 4 * run * place);
    const table = storeOnce(`${run}: ${order.join()}`, offsets);
    return { address, own: false, row: 4 * run * count, run: 0, table };
  };
  const valueOf = (name: string): RowValue => values.get(name) ?? { kind: 'number' };
  const outside = (name: string): Place => {
    const constant = constants.get(name)?.constant;
    const address = constant ? storeOnce(name, constant.data as Cells) : addressOf(name);
    const value = valueOf(name);
    const row = value.kind === 'row' ? 4 * value.length : value.kind === 'number' ? 4 : 0;
    return { address, own: false, row, run: 0 };
  };
  const inside = (name: string): Place => {
    const value = valueOf(name);
    return ownPlace(name, value.kind === 'row' ? value.length : 1);
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

/**
 * Returns the places of a pass. The pass is divided into the runs of a value that it reads or writes in another order;
 * all other values have their runs consecutively.
 */
function placesOf({ values, placements }: RowGraph, pass: Pass, { read, writes }: PlaceOf): PassPlaces {
  const ordered = [
    ...[...readsOfPass(pass)].flatMap((name) => {
      const value = values.get(name);
      return value?.kind === 'row' ? (value.runs ?? []) : [];
    }),
    ...placements
      .filter(({ part }) => pass.nodes.some(({ outputs: [value] }) => value.name === part))
      .map(({ into }) => into),
  ];
  const run = ordered[0]?.run ?? pass.count;
  const other = ordered.find((each) => each.run !== run);
  if (other)
    throw uncovered(
      pass.nodes[0] ?? { name: other.of, op: 'ReduceSum' },
      `expected runs of ${run} elements, got ${other.run}`,
    );
  const runs = pass.count / run;
  const inRuns = (place: Place): Place =>
    place.table === undefined && pass.count > 1 && runs > 1 ? { ...place, run: 4 * run } : place;
  return {
    runs,
    run,
    readOf: ({ name }) => inRuns(read(name)),
    writesOf: ({ name }) => writes(name).map(inRuns),
  };
}
