/** Models get valid names in a program. */
import { expect, it } from 'vitest';
import { identifiersOf } from '../../../exporter/typed/types.ts';

it.each<[names: readonly string[], identifiers: readonly string[]]>([
  [['churn'], ['churn']],
  [
    ['mnist-cnn', 'Body_mass.2'],
    ['mnistCnn', 'bodyMass2'],
  ],
  [
    ['2024-churn', '-'],
    ['model2024Churn', 'model'],
  ],
  [
    ['models', 'class', 'default'],
    ['modelsModel', 'classModel', 'defaultModel'],
  ],
  [
    ['a-b', 'aB', 'a.b'],
    ['aB', 'aBModel', 'aB2'],
  ],
])('%j: %j', (names, identifiers) => {
  expect(identifiersOf(names, ['models', 'default'])).toEqual(identifiers);
});
