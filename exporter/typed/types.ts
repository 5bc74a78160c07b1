/** Chooses the names of models in a program, and writes their samples and answers as TypeScript types. */
import { at } from '../../training/arrays/index.ts';
import type { AnswerKind, TypedColumn, TypedModel } from './model.ts';

/** A model with its identifier and its types in a program. */
export interface Called {
  readonly model: TypedModel;
  readonly identifier: string;
  /** `type` is, for example, `Predictor<PenguinsRow, 'Adelie' | 'Chinstrap'>`. */
  readonly type: string;
  /** `declarations` declares what the type names: that of the model's rows. */
  readonly declarations: string;
}

/**
 * @param taken names that are used already in the module
 * @param picture the type of a sample of pictures
 */
export function calledIn(
  models: readonly TypedModel[],
  taken: readonly string[],
  picture = 'PictureSample',
): readonly Called[] {
  const identifiers = identifiersOf(
    models.map(({ name }) => name),
    taken,
  );
  return models.map((model, i) => {
    const identifier = at(identifiers, i);
    const { sample, declarations } = sampleOf(model, upperFirst(identifier), picture);
    return { model, identifier, type: `Predictor<${sample}, ${answerType(model.answers)}>`, declarations };
  });
}

function sampleOf(
  { name, takes }: TypedModel,
  Name: string,
  picture: string,
): { readonly sample: string; readonly declarations: string } {
  switch (takes.kind) {
    case 'picture':
      return { sample: picture, declarations: '' };
    case 'numbers':
      return { sample: 'ArrayLike<number>', declarations: '' };
    case 'rows': {
      const sample = `${Name}Row`;
      const members = takes.columns.map((column) => `${commentOn(column)}  ${memberOf(column)};\n`).join('');
      return { sample, declarations: `/** A row for ${comment(name)}. */\nexport type ${sample} = {\n${members}};\n` };
    }
  }
}

function answerType(answers: AnswerKind): string {
  switch (answers.kind) {
    case 'number':
      return 'number';
    case 'numbers':
      return 'readonly number[]';
    case 'label':
      return oneOf(answers.labels);
    case 'labels':
      return `readonly (${oneOf(answers.labels)})[]`;
  }
}

const oneOf = (texts: readonly string[] | undefined): string =>
  texts && texts.length > 0 ? texts.map(literal).join(' | ') : 'string';

function memberOf({ name, kind, categories, required }: TypedColumn): string {
  const key = /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : literal(name);
  const type = kind === 'numeric' ? 'number' : kind === 'date' ? 'string' : oneOf(categories);
  return `readonly ${key}${required ? '' : '?'}: ${type}${required ? '' : ' | null'}`;
}

function commentOn({ kind, unit, range, categories = [], required }: TypedColumn): string {
  const what = { numeric: 'A number', date: 'A date', categorical: `One of ${categories.length}` }[kind];
  const parts = [
    `${what}${unit === undefined ? '' : `, in ${unit}`}`,
    ...(range ? [`from ${range.join(' to ')} in training`] : []),
    ...(required ? [] : ['may be missing']),
  ];
  return `  /** ${comment(parts.join('; '))}. */\n`;
}

/** Returns a literal in single quotes, as in this project. */
const literal = (text: string): string =>
  `'${JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replaceAll("'", "\\'")
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')}'`;

/** Keeps a text from ending the comment that it is in. */
const comment = (text: string): string => text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ');

/** Words that cannot be names in a module, beside those in `taken`. */
const words =
  'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield'.split(
    ' ',
  );

/**
 * Returns an identifier for each model, in their order: `mnist-cnn` becomes `mnistCnn`.
 *
 * @param taken names that are used already, as they are and as names of types
 */
export function identifiersOf(names: readonly string[], taken: readonly string[]): readonly string[] {
  const used = new Set([...words, ...taken].map((word) => word.toLowerCase()));
  return names.map((name) => {
    const parts = name.split(/[^A-Za-z0-9]+/).filter((part) => part !== '');
    const camel = parts.map((part, i) => (i === 0 ? lowerFirst(part) : upperFirst(part))).join('');
    const plain = /^[a-z]/i.test(camel) ? camel : `model${upperFirst(camel)}`;
    let found = used.has(plain.toLowerCase()) ? `${plain}Model` : plain;
    for (let i = 2; used.has(found.toLowerCase()); i++) found = `${plain}${i}`;
    used.add(found.toLowerCase());
    return found;
  });
}

const upperFirst = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);
