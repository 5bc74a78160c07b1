/** Explains an answer in a sentence or two. */
import { type BothAnswers, type Explanation, type Layer, nameOf, type Statistics } from '../api/explain.ts';
import { headlineOf } from '../answer/headline.ts';
import { plural } from '../format.ts';

/** @param noun the word for the sample */
export function verdict(
  explanation: Pick<Explanation, 'batch_size' | 'layers'>,
  answers: BothAnswers | undefined,
  statistics: Statistics,
  noun: string,
): string {
  const neighbours = explanation.batch_size - 1;
  if (statistics === 'running') return fixed(answers, neighbours);
  if (neighbours === 0) return alone(explanation.layers, noun);
  return fitted(answers, neighbours, noun);
}

function fixed(answers: BothAnswers | undefined, neighbours: number): string {
  const answer = answers ? headlineOf(answers.running).text : 'The same answer';
  if (neighbours === 0) return `${answer}, alone. Add neighbours: nothing will move.`;
  return `${answer}, whoever comes along: ${plural(neighbours, 'neighbour')} moved nothing, for running statistics belong to no batch.`;
}

/**
 * Explains what happens to a sample without neighbours: a channel of a dense layer holds one value of it, a channel of
 * a convolution one for each place.
 */
function alone(layers: readonly Layer[], noun: string): string {
  const dense = layers.find(({ shape }) => shape.slice(1).every((size) => size === 1));
  if (dense) {
    const name = nameOf(dense);
    return `Alone, each channel of ${name} holds one value: σ² is 0 there, and ${name} passes on its β, whatever the ${noun} is.`;
  }
  const [first] = layers;
  const places = first?.shape.slice(1).join(' × ') ?? 'its';
  return `Alone, each channel is normalized with the values of this ${noun} itself, ${places} of them in the first layer: how bright or strong it was is lost, its shape is not.`;
}

function fitted(answers: BothAnswers | undefined, neighbours: number, noun: string): string {
  const many = plural(neighbours, 'neighbour');
  if (!answers) return `Every layer normalized with this ${noun} and its ${many}.`;
  const [running, batch] = [headlineOf(answers.running), headlineOf(answers.batch)];
  if (running.text !== batch.text) {
    return `The same ${noun}, the same weights: its ${many} turned ${running.text} into ${batch.text}.`;
  }
  const change = running.more === batch.more ? '' : `, at ${batch.more} instead of ${running.more}`;
  return `Still ${batch.text}${change}. Try other neighbours, or none.`;
}
