/** Shows a model: what it takes, what it answers, why, and how to ask it from code. */
import { KeyRequired } from '../api/key.ts';
import type { Model } from '../api/model.ts';
import { send } from '../api/request.ts';
import { createAnswerCard } from '../answer/card.ts';
import { createBatchNorm } from '../batch-norm/section.ts';
import { createCodeCard } from '../code/card.ts';
import { card, make } from '../dom.ts';
import type { InputKind, Question } from '../inputs/question.ts';
import { createQualityCard } from '../quality/card.ts';
import { latest } from '../timing.ts';
import { createHead } from './head.ts';

export interface ModelView {
  readonly root: HTMLElement;
  readonly start: () => void;
}

/** @param onKey is called when the Worker asks for its key */
export function createModelView<Sample>(model: Model, kind: InputKind<Sample>, onKey: () => void): ModelView {
  const answerCard = createAnswerCard();
  const codeCard = createCodeCard();
  const batchNorm = model.parameters.explain ? createBatchNorm(model, kind) : undefined;
  let current: Question<Sample> | undefined;

  const answer = latest(async (question: Question<Sample>) => {
    try {
      const response = await send(question.call);
      if (question !== current) return;
      const result = question.read(response);
      answerCard.show(result);
      input.answered(result, response);
      const sample = await question.sampleIn(response);
      if (question === current) batchNorm?.show(sample);
    } catch (error) {
      if (error instanceof KeyRequired) onKey();
      if (question === current)
        answerCard.say(error instanceof Error ? error.message : 'The model did not answer.', true);
    }
  });
  const input = kind.create(model, (question, hint = '') => {
    current = question;
    if (question) {
      codeCard.show(question.call);
      answer(question);
      return;
    }
    answerCard.say(hint);
    batchNorm?.show(undefined);
  });
  const quality = createQualityCard(model);
  const root = make(
    'div',
    { className: 'model' },
    createHead(model),
    make(
      'div',
      { className: 'bench' },
      make('div', { className: 'column' }, card('input', kind.title, input.root), ...input.under.input),
      make('div', { className: 'column' }, answerCard.root, ...input.under.answer),
      answerCard.strip,
    ),
    ...(quality ? [quality] : []),
    codeCard.root,
    ...(batchNorm ? [batchNorm.root] : []),
  );
  if (model.parameters.drift) void showDrift(model, codeCard.root);
  return { root, start: input.start };
}

/**
 * Loads the code that draws drift, which only monitored models need.
 * @param below the element that it is put in front of
 */
async function showDrift(model: Model, below: HTMLElement): Promise<void> {
  const { createDriftCard } = await import('../drift/section.ts');
  below.before(createDriftCard(model));
}
