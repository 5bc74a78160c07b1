/**
 * Defines questions to a model and how they are asked; each kind of input (rows, pictures, tensors) implements them.
 */
import type { Answer } from '../api/answer.ts';
import type { Model } from '../api/model.ts';
import type { Call } from '../api/request.ts';

/** Holds what is on screen, as a question to the model. */
export interface Question<Sample> {
  readonly call: Call;
  readonly read: (response: unknown) => Answer;
  /** Returns what the layers get; for a picture, what the Worker has made of it. */
  readonly sampleIn: (response: unknown) => Promise<Sample>;
}

/** The part of the page in which the visitor enters a sample. */
export interface Input {
  readonly root: HTMLElement;
  /** Lists further cards under the input, and under the answer. */
  readonly under: Readonly<Record<'input' | 'answer', readonly HTMLElement[]>>;
  /** Asks the first question, once everything is in place. */
  readonly start: () => void;
  /** Is called with each answer. */
  readonly answered: (answer: Answer, response: unknown) => void;
}

/** A sample that may share a mini-batch with the one asked about. */
export interface Neighbour<Sample> {
  readonly sample: Sample;
  /** Shows the sample, small. */
  readonly picture: HTMLElement;
  /** Names the kind; neighbours of one kind stand side by side. */
  readonly kind: string;
}

export interface InputKind<Sample> {
  /** The word for a sample. */
  readonly noun: string;
  /** The heading above the input. */
  readonly title: string;
  /** @param ask gets each new question, or `undefined` and a hint what to do when there is none on screen */
  readonly create: (model: Model, ask: (question: Question<Sample> | undefined, hint?: string) => void) => Input;
  readonly explain: (model: Model, samples: readonly Sample[]) => Call;
  /** @param sample the first sample asked about */
  readonly neighbours: (model: Model, sample: Sample) => Promise<readonly Neighbour<Sample>[]>;
}
