/** Describes what a program needs to know to call a model with types: its samples and its answers. */
import { type Column, inputsOf } from '../../training/columns/index.ts';
import type { OutputKind } from '../../worker/image.ts';
import type { Datatype } from '../served/ports.ts';

/** Holds what is known of a model, from its folder or from a server. */
export interface Facts {
  readonly name: string;
  readonly version: string;
  /** Each shape has −1 for a free size; absent if the file does not state the number of dimensions. */
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape?: readonly number[] | undefined;
  }[];
  readonly outputs: readonly { readonly name: string; readonly shape?: readonly number[] | undefined }[];
  readonly columns?: readonly TypedColumn[] | undefined;
  readonly output?: { readonly name: string; readonly kind: OutputKind } | undefined;
  readonly labels?: readonly string[] | undefined;
  /** Is true if it is known how pictures become the model's numbers. */
  readonly takesPictures: boolean;
}

export interface TypedColumn extends Pick<Column, 'name' | 'kind'> {
  readonly categories?: readonly string[] | undefined;
  readonly unit?: string | undefined;
  readonly range?: readonly [min: number | string, max: number | string] | undefined;
  /** `required` is true if a value may not be missing. */
  readonly required: boolean;
}

export interface TypedModel {
  readonly name: string;
  readonly version: string;
  readonly takes: Taken;
  readonly answers: AnswerKind;
}

export type Taken =
  | { readonly kind: 'rows'; readonly columns: readonly TypedColumn[] }
  | { readonly kind: 'picture' }
  | { readonly kind: 'numbers'; readonly shape: readonly number[] };

export type AnswerKind =
  | { readonly kind: 'label' | 'labels'; readonly labels?: readonly string[] | undefined }
  | { readonly kind: 'number' | 'numbers' };

/**
 * Returns undefined for a model that only takes tensors, for example because it has several inputs, or because its
 * answer is not described.
 */
export function typedModel(facts: Facts): TypedModel | undefined {
  const takes = takesOf(facts);
  const answers = answersOf(facts);
  return takes && answers && { name: facts.name, version: facts.version, takes, answers };
}

const pictureTypes: readonly string[] = ['FP32', 'UINT8'] satisfies readonly Datatype[];

function takesOf({ inputs, columns, takesPictures }: Facts): Taken | undefined {
  const [input, ...others] = inputs;
  const [, ...sizes] = input?.shape ?? [];
  if (!input?.shape?.length || others.length > 0) return undefined;
  if (columns) return { kind: 'rows', columns };
  if (takesPictures && pictureTypes.includes(input.datatype)) return { kind: 'picture' };
  return input.datatype === 'FP32' && sizes.every((size) => size > 0) ? { kind: 'numbers', shape: sizes } : undefined;
}

function answersOf({ output, outputs, labels }: Facts): AnswerKind | undefined {
  switch (output?.kind) {
    case undefined:
      return undefined;
    case 'number': {
      const [, width = 1] = outputs.find(({ name }) => name === output.name)?.shape ?? [];
      return { kind: width > 1 ? 'numbers' : 'number' };
    }
    case 'multi-label':
      return { kind: 'labels', labels };
    case 'logits':
    case 'probabilities':
    case 'class':
      return { kind: 'label', labels };
  }
}

/** Returns the columns of an input for rows; undefined if the card describes other rows than the file takes. */
export function typedColumns(
  columns: readonly Column[] | undefined,
  shape: readonly number[],
): readonly TypedColumn[] | undefined {
  const [, width, ...more] = shape;
  if (!columns || more.length > 0 || (width !== -1 && width !== inputsOf(columns).length)) return undefined;
  return columns.map((column) => ({ ...column, required: column.fill === null }));
}
