/** Shows one step by hand: the formulas of Batch Norm, filled with the numbers of one channel. */
import { at } from '../../../training/arrays/index.ts';
import { find, make } from '../dom.ts';
import { derive, type Derived } from './derive.ts';
import { drawing } from './drawing.ts';
import type { ChannelNews } from './engine/messages.ts';

/** The minimum number of milliseconds between two drawings during training, so that the numbers can be read. */
const readableMs = 400;

/** @returns a function that shows the latest channel while this part of the page is open */
export function createByHand(): (channel: ChannelNews | undefined) => void {
  const details = find('#by-hand', HTMLDetailsElement);
  const formulas = find('#by-hand-formulas', HTMLElement);
  const rows = find('#by-hand-rows', HTMLTableSectionElement);
  let latest: ChannelNews | undefined;
  const drawSoon = drawing(() => {
    if (!details.open || !latest) return;
    const derived = derive(latest);
    formulas.replaceChildren(
      ...filledFormulas(latest, derived).flatMap(([name, text]) => [make('dt', {}, name), make('dd', {}, text)]),
    );
    rows.replaceChildren(...rowsOf(latest, derived));
  }, readableMs);
  details.addEventListener('toggle', drawSoon);
  return (channel) => {
    latest = channel;
    drawSoon();
  };
}

/** Formats a number with four significant digits and a real minus sign. */
const digits = (value: number): string =>
  (Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential(2) : String(Number(value.toPrecision(4)))).replaceAll(
    '-',
    '\u2212',
  );

/** Formats a number as a summand or factor: a negative one in parentheses. */
const term = (value: number): string => (value < 0 ? `(${digits(value)})` : digits(value));

const shownTerms = 3;

/** Joins the first terms with plus signs, and adds an ellipsis where there are more. */
function sumOf(terms: readonly string[]): string {
  return terms.length > shownTerms ? `${terms.slice(0, shownTerms).join(' + ')} + …` : terms.join(' + ');
}

function filledFormulas(
  { z, dAfter, epsilon, momentum, gamma, beta, runningMean, runningVar, ...graph }: ChannelNews,
  { mean, variance, deviation, normalized, dGamma, dBeta, dz, nextMean, nextVar }: Derived,
): readonly (readonly [name: string, text: string])[] {
  const m = z.length;
  const first = { z: at(z, 0), normalized: at(normalized, 0), d: at(dAfter, 0), dz: at(dz, 0) };
  const newShare = Number((1 - momentum).toPrecision(6));
  const apart = Math.max(
    difference([dGamma], [graph.dGamma]),
    difference([dBeta], [graph.dBeta]),
    difference(dz, Array.from(graph.dz)),
  );
  return [
    ['μ = 1/m Σ z', `1/${m} · (${sumOf(Array.from(z, term))}) = ${digits(mean)}`],
    [
      'σ² = 1/m Σ (z − μ)²',
      `1/${m} · (${sumOf(Array.from(z, (value) => `(${digits(value)} − ${term(mean)})²`))}) = ${digits(variance)}`,
    ],
    ['s = √(σ² + ε)', `√(${digits(variance)} + ${digits(epsilon)}) = ${digits(deviation)}`],
    ['ẑ₁ = (z₁ − μ) / s', `(${digits(first.z)} − ${term(mean)}) / ${digits(deviation)} = ${digits(first.normalized)}`],
    [
      'z̃₁ = γ ẑ₁ + β',
      `${digits(gamma)} · ${term(first.normalized)} + ${term(beta)} = ${digits(gamma * first.normalized + beta)}`,
    ],
    ['dβ = Σ ∂L/∂z̃', `${sumOf(Array.from(dAfter, term))} = ${digits(dBeta)}`],
    [
      'dγ = Σ ∂L/∂z̃ · ẑ',
      `${sumOf(Array.from(dAfter, (d, i) => `${term(d)} · ${term(at(normalized, i))}`))} = ${digits(dGamma)}`,
    ],
    [
      '∂L/∂z₁ = γ/s (∂L/∂z̃₁ − dβ/m − ẑ₁ dγ/m)',
      `${digits(gamma)}/${digits(deviation)} · (${digits(first.d)} − ${term(dBeta)}/${m} − ${term(first.normalized)} · ${term(dGamma)}/${m}) = ${digits(first.dz)}`,
    ],
    ['running μ ←', `${momentum} · ${term(runningMean)} + ${newShare} · ${term(mean)} = ${digits(nextMean)}`],
    ['running σ² ←', `${momentum} · ${digits(runningVar)} + ${newShare} · ${digits(variance)} = ${digits(nextVar)}`],
    [
      'the training graph',
      `dγ ${digits(graph.dGamma)}, dβ ${digits(graph.dBeta)}: all gradients within ${digits(apart)} of these`,
    ],
  ];
}

/** Returns the largest absolute difference between numbers at the same index. */
const difference = (ours: readonly number[], theirs: readonly number[]): number =>
  ours.reduce((max, value, i) => Math.max(max, Math.abs(value - at(theirs, i))), 0);

const rowsOf = ({ z, dAfter }: ChannelNews, { normalized, after, dz }: Derived): readonly Element[] =>
  Array.from(z, (value, i) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, String(i + 1)),
      ...[value, at(normalized, i), at(after, i), at(dAfter, i), at(dz, i)].map((each) => make('td', {}, digits(each))),
    ),
  );
