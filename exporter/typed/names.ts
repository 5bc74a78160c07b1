/** Chooses the names of models in a program. */

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

export const upperFirst = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);
