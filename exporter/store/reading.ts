/**
 * Handles the members of a card that say how answers are read: checks that they fit the model, and passes them to the
 * image.
 */
import { quote } from '../../training/files/index.ts';
import type { ModelAbout } from '../../worker/image.ts';
import type { ModelCard } from './card.ts';

/** Returns one line for each key that would be read otherwise than it is meant. */
export function readingContradictions({ labels, output, threshold, interval, intervals = [] }: ModelCard): string[] {
  const kind = output?.kind;
  const isOfNumbers = kind === 'number' || output === undefined;
  const levels = intervals.map(({ level }) => level);
  const known = levels.length > 0 ? levels.join(', ') : 'none without "intervals", which an export measures';
  return [
    ...(threshold ? thresholdContradictions(Object.keys(threshold.at), labels, kind) : []),
    ...(interval !== undefined && !levels.includes(interval)
      ? [`interval: expected ${known}, got ${interval}; bn-edge export --interval ${interval} measures it`]
      : []),
    ...(interval !== undefined && !isOfNumbers
      ? [`interval: expected none, as the output is of ${kind}, got ${interval}`]
      : []),
  ];
}

function thresholdContradictions(
  names: readonly string[],
  labels: ModelCard['labels'],
  kind: NonNullable<ModelCard['output']>['kind'] | undefined,
): string[] {
  const where = 'threshold.at';
  if (kind !== 'logits' && kind !== 'probabilities' && kind !== 'multi-label')
    return [`${where}: expected an output of logits, probabilities or multi-label, got ${kind ?? 'none'}`];
  if (!labels) return [`${where}: expected "labels" beside it, got none`];
  if (kind !== 'multi-label' && labels.length !== 2)
    return [`${where}: expected a model of two classes, got ${labels.length}`];
  if (kind !== 'multi-label' && names.length !== 1)
    return [`${where}: expected one of the two classes, got ${names.length}`];
  const strange = names.find((name) => !labels.includes(name));
  return strange === undefined ? [] : [`${where}: expected one of the labels, got ${quote(strange)}`];
}

/** Returns what the Worker needs to read answers, and what it says of how far they can be trusted. */
export function aboutReading({
  threshold,
  interval,
  intervals = [],
  calibration,
  importance,
}: ModelCard): Pick<ModelAbout, 'threshold' | 'interval' | 'calibration' | 'importance'> {
  const found = intervals.find(({ level }) => level === interval);
  return {
    ...(threshold && { threshold: threshold.at }),
    ...(found && { interval: found }),
    ...(calibration && { calibration }),
    ...(importance && { importance }),
  };
}
