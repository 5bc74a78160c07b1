/**
 * Looks inside a model's Batch Norm layers: shows the same sample by the fixed running statistics and by those of its
 * mini-batch, with neighbours that the visitor chooses.
 */
import { answerOfRow } from '../api/answer.ts';
import { BINS, type Explanation, type Statistics } from '../api/explain.ts';
import type { Model } from '../api/model.ts';
import { send } from '../api/request.ts';
import { cloneTemplate, find } from '../dom.ts';
import type { InputKind, Neighbour } from '../inputs/question.ts';
import { latest } from '../timing.ts';
import { createComparison } from './comparison.ts';
import { createLayers } from './layers/figure.ts';
import { createNeighbours, type Neighbours } from './neighbours.ts';
import { verdict } from './verdict.ts';

export interface BatchNormSection<Sample> {
  readonly root: HTMLElement;
  /** Looks at another sample, or at none when there is no question on screen. */
  readonly show: (sample: Sample | undefined) => void;
}

export function createBatchNorm<Sample>(model: Model, kind: InputKind<Sample>): BatchNormSection<Sample> {
  const root = cloneTemplate('#batch-norm-template', HTMLElement);
  const { noun } = kind;
  for (const place of root.querySelectorAll('[data-noun]')) place.textContent = noun;
  const labels = model.parameters.labels ?? [];
  const comparison = createComparison(find('.comparison', HTMLElement, root));
  const layersPlace = find('.layers', HTMLElement, root);
  const layers = createLayers(layersPlace, noun);
  const onBatch = find('[value=batch]', HTMLInputElement, root);
  const statistics = (): Statistics => (onBatch.checked ? 'batch' : 'running');
  let sample: Sample | undefined;
  let neighbours: Neighbours<Sample> | undefined;
  /** Explains `sample`; undefined until the Worker has answered. */
  let explanation: Explanation | undefined;

  const explainSample = latest(async (asked: Sample) => {
    try {
      neighbours ??= await createPool(asked);
      const chosen = neighbours.chosen();
      const call = kind.explain(model, [asked, ...chosen]);
      const response = await send({ ...call, query: { sample: '0', bins: String(BINS) } });
      if (asked !== sample) return;
      explanation = response as Explanation;
      draw();
    } catch (error) {
      if (asked !== sample) return;
      explanation = undefined;
      comparison.say(`Its layers did not answer. ${error instanceof Error ? error.message : ''}`);
    }
  });
  async function createPool(asked: Sample): Promise<Neighbours<Sample>> {
    const pool = await kind.neighbours(model, asked).catch((): readonly Neighbour<Sample>[] => []);
    return createNeighbours(find('.neighbours', HTMLElement, root), pool, noun, () => {
      if (sample !== undefined) explainSample(sample);
    });
  }
  function draw(): void {
    if (!explanation) return;
    const { answers } = explanation;
    const both = answers && {
      running: answerOfRow(answers.running, labels),
      batch: answerOfRow(answers.batch, labels),
    };
    comparison.show(both, statistics(), verdict(explanation, both, statistics(), noun));
    layers.show(explanation.layers, statistics());
  }
  find('.switch', HTMLElement, root).addEventListener('change', () => {
    root.dataset['statistics'] = statistics();
    draw();
  });

  return {
    root,
    show(next) {
      [sample, explanation] = [next, undefined];
      comparison.reset();
      layersPlace.hidden = next === undefined;
      if (next !== undefined) explainSample(next);
      else comparison.say(`There is no ${noun} to look at.`);
    },
  };
}
