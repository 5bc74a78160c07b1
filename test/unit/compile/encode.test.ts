/** The encoder of passes writes the same module as Binaryen. */
import binaryen from 'binaryen';
import { describe, expect, it } from 'vitest';
import { encodeText, instructionNames } from '../../../training/compile/passes/encode.ts';

function byBinaryen(module: binaryen.Module): string {
  try {
    const { SIMD128, RelaxedSIMD, Atomics } = binaryen.Features;
    module.setFeatures(SIMD128 | RelaxedSIMD | Atomics);
    expect(module.validate()).toBe(1);
    return module.emitText();
  } finally {
    module.dispose();
  }
}

const ofText = (text: string): string => byBinaryen(binaryen.readBinary(binaryen.parseText(text).emitBinary()));
const ofBytes = (text: string): string => byBinaryen(binaryen.readBinary(encodeText(text)));

const inFunction = (...body: readonly string[]): string => inModule('1', ...body);

const inModule = (limits: string, ...body: readonly string[]): string =>
  [
    `(module (import "host" "memory" (memory ${limits}))`,
    '(func $first (param $a i32) (param $b i32) (local.set $a (local.get $b)))',
    '(func $run (export "run") (local $p i32) (local $v v128) (local $w v128)',
    ...body,
    '))',
  ].join('\n');

const [p, v] = ['(local.get $p)', '(local.get $v)'];

/** The operands behind an instruction's name, where they are not one or two vectors. */
const operands: Readonly<Record<string, string>> = {
  'v128.load': `offset=70000 align=4 ${p}`,
  'v128.load32_splat': `offset=3000000000 ${p}`,
  'v128.store': `offset=16 align=4 ${p} ${v}`,
  'v128.load32_lane': `offset=4 2 ${p} ${v}`,
  'v128.store32_lane': `offset=130 3 ${p} ${v}`,
  'v128.bitselect': `${v} ${v} ${v}`,
  'i8x16.shuffle': `${Array.from({ length: 16 }, (_, i) => 31 - i).join(' ')} ${v} ${v}`,
  'f32x4.relaxed_madd': `${v} ${v} ${v}`,
  'i32.load': `offset=8 ${p}`,
  'f32.load': `offset=8 ${p}`,
  'f32.gt': `(f32.load ${p}) (f32.load ${p})`,
  'i32.store': `offset=8 ${p} ${p}`,
  'i32.atomic.load': `offset=0 ${p}`,
  'i32.atomic.store': `offset=4 ${p} ${p}`,
  'memory.atomic.wait32': `offset=8 ${p} ${p} (i64.const 1000000000)`,
  'memory.atomic.notify': `offset=0 ${p} ${p}`,
  'i32.eq': `${p} ${p}`,
  'i32.lt_s': `${p} ${p}`,
  'i32.lt_u': `${p} ${p}`,
  'i32.ge_u': `${p} ${p}`,
  'i32.mul': `${p} ${p}`,
  'i32.div_u': `${p} ${p}`,
  'i32.add': `${p} ${p}`,
  'i32.sub': `${p} ${p}`,
  select: `${p} ${p} ${p}`,
};
const isUnary = /\.(neg|abs|sqrt|nearest)$|trunc_sat|convert/;
const isShift = /\.sh[lr]/;

function statement(name: string): string {
  const rest = operands[name] ?? (isUnary.test(name) ? v : `${v} ${isShift.test(name) ? p : v}`);
  if (name.includes('store')) return `(${name} ${rest})`;
  if (name === 'unreachable') return '(unreachable)';
  if (name === 'drop') return `(drop ${p})`;
  if (name === 'f32.load') return `(local.set $p (f32.gt (f32.load ${rest}) (f32.load ${p})))`;
  return `(local.set ${/^(i32|f32|memory)\./.test(name) || name === 'select' ? '$p' : '$v'} (${name} ${rest}))`;
}

describe('an encoded module is that of Binaryen', () => {
  it.each(instructionNames)('with %s', (name) => {
    const text = inFunction(statement(name));
    expect(ofBytes(text)).toBe(ofText(text));
  });

  it('with a memory that threads share', () => {
    const text = inModule('1 65536 shared', `(local.set $p (i32.atomic.load offset=0 ${p}))`);
    expect(ofBytes(text)).toBe(ofText(text));
  });

  it('with loops, calls, constants and comments', () => {
    const text = inFunction(
      ';; a comment (with a bracket',
      '(local.set $v (v128.const i32x4 0x7fc00000 -1 0 3))',
      '(loop $outer (loop $inner',
      '  (call $first (i32.const -70000) (i32.const 63))',
      '  (br_if $outer (local.tee $p (i32.sub (local.get $p) (i32.const 64))))',
      '  (br_if $inner (local.get $p))))',
    );
    expect(ofBytes(text)).toBe(ofText(text));
  });

  it('with a branch', () => {
    const text = inFunction(
      `(if (i32.ge_u ${p} (i32.const 3)) (then (unreachable)))`,
      `(if ${p} (then (local.set $p ${p})))`,
    );
    expect(ofBytes(text)).toBe(ofText(text));
  });

  it('or is refused: what the text says beyond the subset is an error of ours', () => {
    expect(() => encodeText(inFunction('(f64.nearest (f64.const 1))'))).toThrow(
      'internal: "f64.nearest" is not of the subset',
    );
  });
});
