/** A card's reading of answers agrees with what the model answers. */
import { describe, expect, it } from 'vitest';
import { parseCard } from '../../../exporter/store/card.ts';
import { readingContradictions, aboutReading } from '../../../exporter/store/reading.ts';

const card = (value: object) => parseCard('card.json', JSON.stringify(value));
const two = { labels: ['no', 'yes'], output: { name: 'y', kind: 'logits' } };
const number = { output: { name: 'y', kind: 'number' }, intervals: [{ level: 0.9, halfWidth: 2 }] };

describe('a card that reads answers', () => {
  it.each<[string, object, readonly string[]]>([
    ['a threshold of one of two classes', { ...two, threshold: { at: { yes: 0.3 }, for: 'f1' } }, []],
    ['one that was chosen for costs', { ...two, threshold: { at: { no: 0.3 }, for: { fp: 1, fn: 5 } } }, []],
    ['an interval of a level that was measured', { ...number, interval: 0.9 }, []],
    ['a card from before', two, []],
    [
      'a threshold of both',
      { ...two, threshold: { at: { yes: 0.3, no: 0.7 } } },
      ['threshold.at: expected one of the two classes, got 2'],
    ],
    [
      'a class that there is not',
      { ...two, threshold: { at: { maybe: 0.3 } } },
      ['threshold.at: expected one of the labels, got "maybe"'],
    ],
    [
      'three classes',
      { ...two, labels: ['a', 'b', 'c'], threshold: { at: { a: 0.3 } } },
      ['threshold.at: expected a model of two classes, got 3'],
    ],
    [
      'a threshold of numbers',
      { ...number, threshold: { at: { yes: 0.3 } } },
      ['threshold.at: expected an output of logits, probabilities or multi-label, got number'],
    ],
    [
      'labels without names',
      { output: { name: 'y', kind: 'multi-label' }, threshold: { at: { cat: 0.3 } } },
      ['threshold.at: expected "labels" beside it, got none'],
    ],
    [
      'a level that nobody has measured',
      { ...number, interval: 0.95 },
      ['interval: expected 0.9, got 0.95; bn-edge export --interval 0.95 measures it'],
    ],
  ])('%s', (_, value, complaints) => {
    expect(readingContradictions(card(value))).toEqual(complaints);
  });

  it('tells an image the interval of its level, and nothing where it has none', () => {
    expect(aboutReading(card({ ...number, interval: 0.9 }))).toEqual({ interval: { level: 0.9, halfWidth: 2 } });
    expect(aboutReading(card(number))).toEqual({});
    expect(aboutReading(card({ ...two, threshold: { at: { yes: 0.3 } } }))).toEqual({ threshold: { yes: 0.3 } });
  });

  it.each([
    ['threshold', { ...two, threshold: { at: { yes: 1.5 } } }],
    ['interval', { ...number, interval: 1 }],
    ['for', { ...two, threshold: { at: { yes: 0.5 }, for: { fp: 0, fn: 1 } } }],
  ])('refuses what is no %s at all, in one line', (key, value) => {
    expect(() => card(value)).toThrow(new RegExp(`^card\\.json: .*${key}.*$`));
  });
});
