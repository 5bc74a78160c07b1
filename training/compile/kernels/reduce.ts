/**
 * Sums, means and maxima over any axes. Where the last axis is reduced, four of its elements are processed side by side
 * and combined at the end of each result. Otherwise four results are computed side by side:
 *
 *     for each kept axis                              out = fold of x over the folded axes
 *       for each folded axis but the last
 *         for each vector of the last folded axis     total = total ∘ x
 */
import { at, elementCount } from '../../arrays/index.ts';
import { type Buffer, type Plain, vectorBytes, vectorsFor } from '../buffer.ts';
import { call, get, i32, load, localsOf, set, splat, store, storeLane, vector, type Wat } from '../wat.ts';
import type { Kernel } from './kernel.ts';
import { counters, loops, type Nest } from './nest.ts';
import { partOfNest } from './part.ts';
import { acrossLanes, eachVector, type Fold, foldTwo, neutral } from './row.ts';

export interface Reduce {
  readonly about: string;
  readonly x: Buffer;
  readonly out: Plain;
  readonly shape: readonly number[];
  readonly axes: ReadonlySet<number>;
  readonly fold: Fold;
  readonly mean: boolean;
}

interface Axis {
  readonly count: number;
  /** The stride in elements of x. */
  readonly stride: number;
}

export function reduce({ about, x, out, shape, axes, fold, mean }: Reduce): Kernel {
  const all = axesOf(shape, axes);
  const folded = all.filter(({ isFolded }) => isFolded);
  const kept = all.filter(({ isFolded }) => !isFolded);
  // Vectors of results that do not lie in one row reach into the next row.
  const acrossRow = all.at(-1)?.isFolded === true;
  const isExact = acrossRow || kept.length === 1 || (kept.at(-1)?.count ?? 0) % 4 === 0;
  return {
    about,
    reads: [x],
    writes: [out],
    ...(kept.length > 0 && isExact && { work: elementCount(shape) }),
    emit: ({ addressOf, define, part }) => {
      const count = elementCount(folded.map(({ count }) => count));
      const result = mean ? vector('f32x4.div', get('total'), splat(count)) : get('total');
      const totals = acrossRow ? foldRows(folded, fold) : foldSideBySide(folded, fold);
      const share = partOfNest(keptNest(kept, acrossRow), part);
      if (!share) return [];
      const { nest, starts } = share;
      const write = acrossRow ? storeLane(0, get('out'), result) : store(get('out'), result);
      return [
        call(
          define('reduce', {
            about: [about],
            params: [],
            locals: {
              ...localsOf('i32', 'x', 'out', 'at', 'row', 'n', ...counters(nest)),
              ...localsOf('i32', ...totals.counters),
              ...localsOf('v128', 'total'),
            },
            body: [
              set('x', i32(addressOf(x) + at(starts, 0))),
              set('out', i32(addressOf(out) + at(starts, 1))),
              ...loops(nest, [set('total', splat(neutral[fold])), set('row', get('x')), ...totals.body, write]),
            ],
          }),
        ),
      ];
    },
  };
}

/** Merges neighbouring axes of the same kind. */
function axesOf(shape: readonly number[], folded: ReadonlySet<number>) {
  const axes: (Axis & { readonly isFolded: boolean })[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const count = at(shape, axis);
    const isFolded = folded.has(axis);
    const [inner] = axes;
    if (count > 1 && inner?.isFolded === isFolded) axes[0] = { ...inner, count: inner.count * count };
    else if (count > 1) axes.unshift({ count, stride, isFolded });
    stride *= count;
  }
  return axes;
}

/** Walks the results one by one, or in vectors, of which the last of a row reaches into the next row. */
function keptNest(kept: readonly Axis[], oneByOne: boolean): Nest {
  const counts = kept.map(({ count }) => count);
  const toStrides = counts.map((_, axis) => 4 * elementCount(counts.slice(axis + 1)));
  const last = kept.length - 1;
  const inVectors = (values: readonly number[], value: number) =>
    oneByOne || last < 0 ? values : values.with(last, value);
  return {
    counts: inVectors(counts, vectorsFor(counts.at(-1) ?? 1)),
    pointers: [
      {
        local: 'x',
        strides: inVectors(
          kept.map(({ stride }) => 4 * stride),
          vectorBytes,
        ),
      },
      { local: 'out', strides: inVectors(toStrides, vectorBytes) },
    ],
  };
}

interface Totals {
  readonly counters: readonly string[];
  readonly body: readonly Wat[];
}

/** Renames the counters of folded axes, so that they differ from those of kept ones. There are fewer than eight. */
const renamed = (lines: readonly Wat[]): readonly Wat[] => lines.map((line) => line.replace(/\$i(\d)/g, '$$f$1'));

function foldedNest(axes: readonly Axis[]): Nest {
  return {
    counts: axes.map(({ count }) => count),
    pointers: [{ local: 'row', strides: axes.map(({ stride }) => 4 * stride) }],
  };
}

function foldRows(folded: readonly Axis[], fold: Fold): Totals {
  const nest = foldedNest(folded.slice(0, -1));
  const body = [
    set('at', get('row')),
    ...eachVector(at(folded, folded.length - 1).count, ['at'], (within) => [
      set('total', foldTwo(fold, get('total'), within(load(get('at')), neutral[fold]))),
    ]),
  ];
  return {
    counters: counters(nest).map((name) => name.replace('i', 'f')),
    body: [...renamed(loops(nest, body)), ...acrossLanes(fold, 'total')],
  };
}

function foldSideBySide(folded: readonly Axis[], fold: Fold): Totals {
  const nest = foldedNest(folded);
  return {
    counters: counters(nest).map((name) => name.replace('i', 'f')),
    body: renamed(loops(nest, [set('total', foldTwo(fold, get('total'), load(get('row'))))])),
  };
}
