/** What to make of an answer, in a sentence or two. */
import { percent, plural } from '../format.ts';
import { type Explanation, probabilities, type Statistics } from '../model.ts';

export function verdict(explanation: Explanation, statistics: Statistics): string {
  const neighbours = explanation.batch_size - 1;
  return statistics === 'running' ? fixed(explanation, neighbours) : fitted(explanation, neighbours);
}

function fixed({ predictions: { running } }: Explanation, neighbours: number): string {
  if (neighbours === 0) return `A ${running.label}, alone. Add neighbours: nothing will move.`;
  return `A ${running.label}, whoever comes along: ${plural(neighbours, 'neighbour')} moved nothing, for running statistics belong to no batch.`;
}

function fitted({ predictions: { running, batch } }: Explanation, neighbours: number): string {
  if (neighbours === 0) {
    return `Alone, σ² is 0 and nothing of the digit is left: every digit gets this answer, ${batch.label}.`;
  }
  if (batch.label !== running.label) {
    return `The same drawing, the same weights: its ${plural(neighbours, 'neighbour')} turned the ${running.label} into a ${batch.label}.`;
  }
  const [now, before] = [batch, running].map((answer) => percent(Math.max(...probabilities(answer))));
  return `Still a ${batch.label}, at ${now} instead of ${before}. Try other neighbours, or none.`;
}
