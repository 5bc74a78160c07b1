/** Finds out which arrays of an archive are inputs and which are labels, by their usual names. */
import { quote, unexpected } from '../files/index.ts';

/** The names of arrays that the user chose. */
type Choice = { readonly [K in keyof ArrayPair]?: string | undefined };

/** The names of a part's two arrays. */
export interface ArrayPair {
  readonly inputs: string;
  readonly label: string;
}

export interface ArrayNames {
  readonly train: ArrayPair;
  readonly validation?: ArrayPair;
  readonly test?: ArrayPair;
}

const INPUTS = 'x|data|images?|imgs?|inputs?|features?|samples?';
const LABELS = 'y|labels?|targets?|class(?:es)?';
/**
 * Matches names such as `x`, `X_train`, `train_images` and `valLabels`, after separators are removed and letters
 * lowered.
 */
const NAME = new RegExp(
  `^(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?)?(?:(${INPUTS})|(${LABELS}))(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?)?$`,
);

type PartName = 'all' | 'train' | 'validation' | 'test';

const partOf = (text: string): PartName =>
  text === '' ? 'all' : text.startsWith('tr') ? 'train' : text.startsWith('v') ? 'validation' : 'test';

interface ParsedName {
  readonly name: string;
  readonly part: PartName;
  readonly kind: keyof ArrayPair;
  /** Is true where the array is named by the letter x or y. */
  readonly isLetter: boolean;
}

function parseName(name: string): ParsedName[] {
  const match = NAME.exec(name.toLowerCase().replaceAll(/[^a-z]/g, ''));
  if (!match) return [];
  const [, before = '', inputs, label, after = ''] = match;
  if (before !== '' && after !== '') return [];
  const isLetter = inputs === 'x' || label === 'y';
  return [{ name, part: partOf(before + after), kind: inputs === undefined ? 'label' : 'inputs', isLetter }];
}

/**
 * Finds the inputs and labels of each part.
 *
 * @param names of all arrays in the archive
 * @param chosen names that the user gave, which override what the names suggest
 * @throws UserError that lists the names where they do not decide
 */
export function findArrays(names: readonly string[], chosen: Choice, where: string): ArrayNames {
  const parsed = names.flatMap(parseName);
  const only = (part: PartName, kind: keyof ArrayPair): string | undefined => {
    const found = parsed.filter((array) => array.part === part && array.kind === kind);
    const [first, another] = found.length > 1 ? found.filter(({ isLetter }) => isLetter) : found;
    return another ? undefined : first?.name;
  };
  const pairOf = (part: PartName, given: Choice = {}): ArrayPair | undefined => {
    const { inputs = only(part, 'inputs'), label = only(part, 'label') } = given;
    return inputs !== undefined && label !== undefined && inputs !== label ? { inputs, label } : undefined;
  };
  if (chosen.inputs !== undefined || chosen.label !== undefined) {
    const pair = pairOf('all', chosen) ?? pairOf('train', chosen);
    if (pair) return { train: pair };
    throw unexpected(where, `both --inputs NAME and --label NAME`, `one; its arrays are ${listOf(names)}`);
  }
  const [whole, train] = [pairOf('all') ?? positional(names), pairOf('train')];
  if (whole && !train) return { train: whole };
  if (train && !whole) {
    const [validation, test] = [pairOf('validation'), pairOf('test')];
    return { train, ...(validation && { validation }), ...(test && { test }) };
  }
  const wanted = 'arrays x and y, or x_train, y_train, x_test and y_test';
  throw unexpected(where, wanted, `${listOf(names)}; --inputs NAME --label NAME choose among them`);
}

/**
 * Returns the name of the inputs in an archive that has no labels. It is undefined where there are labels, and where
 * the names do not decide.
 *
 * @param chosen names that the user gave
 */
export function findInputs(names: readonly string[], chosen: Choice): string | undefined {
  if (chosen.label !== undefined) return undefined;
  const parsed = names.flatMap(parseName);
  if (chosen.inputs === undefined && parsed.some(({ kind }) => kind === 'label')) return undefined;
  const inputs = parsed.filter(({ kind }) => kind === 'inputs').map(({ name }) => name);
  const [only, ...others] = inputs.length > 0 ? inputs : names;
  return chosen.inputs ?? (others.length === 0 ? only : undefined);
}

/** Recognizes the names that `numpy.savez(file, x, y)` gives. */
const positional = (names: readonly string[]): ArrayPair | undefined =>
  names.toSorted().join() === 'arr_0,arr_1' ? { inputs: 'arr_0', label: 'arr_1' } : undefined;

const listOf = (names: readonly string[]): string => names.map(quote).join(', ') || 'none';
