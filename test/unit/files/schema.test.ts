/** A value that does not fit its schema gives a message with the key, what was expected and what came. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { check, checked, checkedJson, UserError, validated } from '../../../training/files/index.ts';

const schema = z.strictObject({
  share: z.number().min(0).lt(1).optional(),
  size: z.int().positive().optional(),
  most: z.array(z.string()).max(2).optional(),
  mode: z.literal(true).optional(),
  momentum: z.union([z.number(), z.literal('none')]).optional(),
  table: z.record(z.string(), z.strictObject({ x: z.number() })).optional(),
  layer: z
    .discriminatedUnion('kind', [z.strictObject({ kind: z.literal('a') }), z.strictObject({ kind: z.literal('b') })])
    .optional(),
  even: z
    .number()
    .refine((n) => n % 2 === 0, { error: 'expected an even number' })
    .optional(),
});

describe('a value', () => {
  it('that is nested too deep is refused before the stack is used up, also where it is in itself', () => {
    const deep = z.strictObject({
      get inside() {
        return z.unknown().optional();
      },
    });
    const nested = (levels: number): object => (levels === 0 ? {} : { inside: nested(levels - 1) });
    const endless: { inside?: unknown } = {};
    endless.inside = endless;
    expect(check(deep, nested(150))).toEqual({ value: nested(150) });
    for (const value of [nested(1000), endless])
      expect(check(deep, value)).toBe('expected at most 200 levels, got more');
  });

  it.each<[value: unknown, message: string]>([
    [5, 'expected an object, got 5'],
    [{ share: -1 }, 'share: expected a number of at least 0, got -1'],
    [{ share: 1 }, 'share: expected a number below 1, got 1'],
    [{ share: NaN }, 'share: expected a number, got NaN'],
    [{ size: 0 }, 'size: expected a number above 0, got 0'],
    [{ size: 1.5 }, 'size: expected a whole number, got 1.5'],
    [{ most: ['a', 'b', 'c'] }, 'most: expected a list of at most 2, got ["a","b","c"]'],
    [{ mode: false }, 'mode: expected true, got false'],
    [{ momentum: 'all' }, 'momentum: expected a number or "none", got "all"'],
    [{ table: { 'a b': { x: '1' } } }, 'table["a b"].x: expected a number, got "1"'],
    [{ table: { a: {} } }, 'table.a.x: expected a number, got none'],
    [{ layer: { kind: 'c' } }, 'layer.kind: expected "a" or "b", got "c"'],
    [{ layer: { kind: 'a', x: 1 } }, 'layer: unknown key "x"; known are kind'],
    [{ even: 3 }, 'even: expected an even number'],
    [{ size: 'a', share: 'b' }, 'share: expected a number, got "b"; size: expected a number, got "a"'],
    [{ size: '\u001b[2J\n' }, 'size: expected a number, got "\\u001b[2J\\n"'],
    [{ size: ['x'.repeat(100)] }, `size: expected a number, got ["${'x'.repeat(58)}…`],
  ])('such as %j is refused in one line', (value, message) => {
    expect(check(schema, value)).toBe(message);
    expect(() => checked(schema, value, 'file')).toThrow(new UserError(`file: ${message}`));
  });

  it('that fits is returned, with what the schema adds or as it stands', () => {
    const withDefault = z.object({ b: z.number().default(2), a: z.number() });
    const value = { a: 1, more: true };
    expect(checked(withDefault, value, 'file')).toEqual({ b: 2, a: 1 });
    expect(validated(withDefault, value, 'file')).toBe(value);
    expect(() => validated(withDefault, {}, 'file')).toThrow('file: a: expected a number, got none');
  });

  it('comes from a text that is JSON', () => {
    expect(checkedJson(schema, '{"size": 3}', 'file')).toEqual({ size: 3 });
    expect(() => checkedJson(schema, '', 'file')).toThrow(new UserError('file: expected JSON, got nothing'));
    expect(() => checkedJson(schema, '{"a', 'file')).toThrow(new UserError('file: expected JSON, got "{\\"a"'));
  });
});
