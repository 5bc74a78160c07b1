/** What one asks a model, and how it is asked: each kind of input (rows, pictures, tensors) fills this in. */
import type { Answer } from '../api/answer.ts';
import type { Model } from '../api/model.ts';
import type { Call } from '../api/request.ts';

/** What is on screen, as a question to the model. */
export interface Question<Sample> {
  readonly call: Call;
  readonly read: (response: unknown) => Answer;
  /** What the layers get of it: a picture is what the Worker has made of it. */
  readonly sampleIn: (response: unknown) => Promise<Sample>;
}

/** What one gives the model, in the page. */
export interface Input {
  readonly root: HTMLElement;
  /** Further cards: under the input, and under the answer. */
  readonly under: Readonly<Record<'input' | 'answer', readonly HTMLElement[]>>;
  /** Asks the first question, once all is in place. */
  readonly start: () => void;
  /** Is told of each answer. */
  readonly answered: (answer: Answer, response: unknown) => void;
}

/** Who may share a mini-batch with the sample. */
export interface Neighbour<Sample> {
  readonly sample: Sample;
  /** What it looks like, small. */
  readonly picture: HTMLElement;
  /** Neighbours of one kind stand side by side. */
  readonly kind: string;
}

export interface InputKind<Sample> {
  /** What one sample is called. */
  readonly noun: string;
  /** The heading over it. */
  readonly title: string;
  /** @param ask is given each new question; nothing where there is none on screen, with the words that say what to do */
  readonly create: (model: Model, ask: (question: Question<Sample> | undefined, hint?: string) => void) => Input;
  readonly explain: (model: Model, samples: readonly Sample[]) => Call;
  /** @param sample the first one asked about */
  readonly neighbours: (model: Model, sample: Sample) => Promise<readonly Neighbour<Sample>[]>;
}
