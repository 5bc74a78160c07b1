/** Chooses the kind of input that a model takes. */
import { answersClasses, type Model } from '../api/model.ts';
import { pictures } from './pictures/pictures.ts';
import type { InputKind } from './question.ts';
import { rows } from './rows/rows.ts';
import { tensors } from './tensors/tensors.ts';

/** Does something with the kind of a model's input, whatever its samples are. */
export type WithKind<Result> = <Sample>(kind: InputKind<Sample>) => Result;

export function withKindOf<Result>(model: Model, use: WithKind<Result>): Result {
  const { columns, picture, output } = model.parameters;
  if (columns && output) return use(rows);
  if (picture && answersClasses(model)) return use(pictures(picture));
  return use(tensors);
}
