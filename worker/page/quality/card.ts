/**
 * Shows how far a model's answers are to be trusted, as the export has measured it on rows that training has not seen.
 */
import type { Model } from '../api/model.ts';
import { card, make } from '../dom.ts';
import { number, percent } from '../format.ts';
import { drawReliability } from './reliability.ts';
import { createWorth } from './worth.ts';

/** Returns `undefined` when nothing was measured. */
export function createQualityCard({ parameters }: Model): HTMLElement | undefined {
  const { calibration, importance } = parameters;
  const facts = factsOf(parameters).map((fact) => make('p', {}, fact));
  const parts = [
    ...(facts.length > 0 ? [make('div', { className: 'facts-of-trust' }, ...facts)] : []),
    ...(calibration && calibration.bins.length > 0 ? [drawReliability(calibration)] : []),
    ...(importance && importance.columns.length > 0 ? [createWorth(importance)] : []),
  ];
  if (parts.length === 0) return undefined;
  return card('quality', 'How far to trust it', make('div', { className: 'trust' }, ...parts));
}

function factsOf({ threshold, interval, output }: Model['parameters']): readonly string[] {
  const several = output?.kind === 'multi-label';
  const thresholds = Object.entries(threshold ?? {}).map(
    ([label, at]) => `${label} ${several ? 'applies' : 'is the answer'} from a probability of ${percent(at)} on.`,
  );
  if (!interval) return thresholds;
  const { level, half_width, coverage } = interval;
  const held = coverage === undefined ? '' : `; of the test rows it held ${percent(coverage)}`;
  return [...thresholds, `The interval of ± ${number(half_width)} is to hold ${percent(level)} of values${held}.`];
}
