/** Takes tensors as the protocol has them, in JSON, which every model accepts. */
import { answerOfClasses, type Classified, type TensorsAnswer } from '../../api/answer.ts';
import { answersClasses, type Model, pathOf, type TensorInfo } from '../../api/model.ts';
import { make } from '../../dom.ts';
import type { Input, InputKind, Question } from '../question.ts';

/** The request's `inputs`. */
type Tensors = readonly unknown[];

export const tensors: InputKind<Tensors> = {
  noun: 'sample',
  title: 'Its inputs',
  create,
  explain: (model, [inputs = []]) => ({
    path: `${pathOf('v2', model)}/explain`,
    body: { kind: 'json', value: { inputs } },
  }),
  // The tensors hold the whole mini-batch themselves.
  neighbours: () => Promise.resolve([]),
};

function create(model: Model, ask: (question: Question<Tensors> | undefined, hint?: string) => void): Input {
  const area = make('textarea', { id: 'tensors', rows: 14, spellcheck: false, value: exampleOf(model) });
  const hint = make('p', { className: 'hint', id: 'tensors-hint' }, hintOf(model));
  area.setAttribute('aria-describedby', hint.id);
  const label = make('label', { htmlFor: area.id, className: 'name' }, 'The inputs, as JSON');
  function changed(): void {
    const inputs = parsed(area.value);
    if (inputs) ask(questionOf(model, inputs));
    else ask(undefined, 'The inputs are no JSON array yet.');
  }
  area.addEventListener('input', changed);
  return {
    root: make('div', { className: 'tensors' }, label, area, hint),
    under: { input: [], answer: [] },
    start: changed,
    answered: () => undefined,
  };
}

function parsed(text: string): Tensors | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function questionOf(model: Model, inputs: Tensors): Question<Tensors> {
  const path = pathOf('v2', model);
  const sampleIn = (): Promise<Tensors> => Promise.resolve(inputs);
  const body = { kind: 'json', value: { inputs } } as const;
  if (!answersClasses(model)) return { call: { path: `${path}/infer`, body }, read: tensorsIn, sampleIn };
  return {
    call: { path: `${path}/classify`, query: { top_k: '1000' }, body },
    read: (response) => {
      const [first] = (response as { readonly predictions: readonly Classified[] }).predictions;
      if (!first) throw new Error('The model answered to no sample.');
      return answerOfClasses(first);
    },
    sampleIn,
  };
}

function tensorsIn(response: unknown): TensorsAnswer {
  const { outputs } = response as { readonly outputs: TensorsAnswer['outputs'] };
  return { kind: 'tensors', outputs, warnings: [] };
}

/** The maximum of numbers shown: more are left to a program. */
const MAX = 10_000;

/** Returns one sample of zeros, or of false. */
function exampleOf({ inputs }: Model): string {
  const examples = inputs.map(({ name, datatype, shape }) => {
    const sizes = shape.map((size) => (size === -1 ? 1 : size));
    const count = sizes.reduce((product, size) => product * size, 1);
    const data = new Array<number | boolean>(Math.min(count, MAX)).fill(datatype === 'BOOL' ? false : 0);
    return `  {
    "name": ${JSON.stringify(name)},
    "datatype": "${datatype}",
    "shape": [${sizes.join(', ')}],
    "data": [${data.join(', ')}]
  }`;
  });
  return `[\n${examples.join(',\n')}\n]`;
}

function hintOf({ inputs, parameters: { output } }: Model): string {
  const shapes = inputs.map(({ name, datatype, shape }: TensorInfo) => `${name}: ${datatype} [${shape.join(', ')}]`);
  const missing = output ? '' : ' Its card does not say what its output is, so the answer is the tensors themselves.';
  return `It takes ${shapes.join('; ')}, where -1 is any size.${missing}`;
}
