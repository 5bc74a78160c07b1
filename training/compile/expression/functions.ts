/**
 * The exponential function and its relatives, four lanes at a time, accurate to one or two units in the last place. NaN
 * stays NaN, and overflow gives infinity.
 *
 * Sources: exp, log, tanh: S. Moshier's Cephes, https://www.netlib.org/cephes/ (single/expf.c, logf.c, tanhf.c);
 * erf: N. Juffa, https://forums.developer.nvidia.com/t/optimized-implementation-of-erff/35942
 */
import { splat, splatInt, vector, type Wat } from '../wat.ts';
import type { Lines } from './lines.ts';

const add = (a: Wat, b: Wat): Wat => vector('f32x4.add', a, b);
const sub = (a: Wat, b: Wat): Wat => vector('f32x4.sub', a, b);
const mul = (a: Wat, b: Wat): Wat => vector('f32x4.mul', a, b);
const div = (a: Wat, b: Wat): Wat => vector('f32x4.div', a, b);
const abs = (x: Wat): Wat => vector('f32x4.abs', x);
const neg = (x: Wat): Wat => vector('f32x4.neg', x);
const less = (a: Wat, b: Wat): Wat => vector('f32x4.lt', a, b);
/** Chooses a where the mask's bits are set, otherwise b. */
const choose = (a: Wat, b: Wat, mask: Wat): Wat => vector('v128.bitselect', a, b, mask);

/**
 * A pseudo-minimum or -maximum takes the second operand only where it is beyond the first, so that NaN in the first
 * stays.
 */
export const atMost = (x: Wat, max: Wat): Wat => vector('f32x4.pmin', x, max);
export const atLeast = (x: Wat, min: Wat): Wat => vector('f32x4.pmax', x, min);

/**
 * Replaces denormals by zero, as ONNX Runtime's sessions do by a processor setting that a module cannot reach.
 * Otherwise a moment without gradients decays to the smallest denormals and stays there, and every operation on it is
 * slow.
 */
export const flush = (lines: Lines, x: Wat): Wat => lines.keep(choose(splat(0), x, less(abs(x), splat(2 ** -126))));

/** The coefficients of a polynomial, from that of the highest power to that of the lowest. */
type Coefficients = readonly [number, ...number[]];

/** (((c₀ x + c₁) x + c₂) x + …) */
const polynomial = (x: Wat, [first, ...others]: Coefficients): Wat =>
  others.reduce((sum, coefficient) => add(mul(sum, x), splat(coefficient)), splat(first));

/** Computes 2ⁿ for integers, by the bits of the exponent. */
const powerOfTwo = (n: Wat): Wat => vector('i32x4.shl', vector('i32x4.add', n, splatInt(127)), '(i32.const 23)');

/**
 * Computes eˣ = 2ⁿ eʳ with n = ⌊x / ln 2⌉ and |r| ≤ ½ ln 2. 2ⁿ is multiplied in two factors, since it may exceed
 * float32's exponents alone.
 */
export function exp(lines: Lines, x: Wat): Wat {
  const bounded = lines.keep(atLeast(atMost(x, splat(90)), splat(-110)));
  const n = lines.keep(vector('f32x4.nearest', mul(bounded, splat(Math.LOG2E))));
  const r = lines.keep(sub(sub(bounded, mul(n, splat(0.693359375))), mul(n, splat(-2.1219444e-4))));
  const series: Coefficients = [
    1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
  ];
  const power = lines.keep(add(add(mul(polynomial(r, series), mul(r, r)), r), splat(1)));
  const whole = lines.keep(vector('i32x4.trunc_sat_f32x4_s', n));
  const half = lines.keep(vector('i32x4.shr_s', whole, '(i32.const 1)'));
  return lines.keep(mul(mul(power, powerOfTwo(half)), powerOfTwo(vector('i32x4.sub', whole, half))));
}

/** Computes log x = n ln 2 + log m with ½√2 ≤ m < √2. Denormals are scaled up first. */
export function log(lines: Lines, x: Wat): Wat {
  const small = lines.keep(less(x, splat(2 ** -126)));
  const scaled = lines.keep(choose(mul(x, splat(2 ** 23)), x, small));
  const exponent = vector('i32x4.sub', vector('i32x4.shr_u', scaled, '(i32.const 23)'), splatInt(126));
  const mantissa = lines.keep(vector('v128.or', vector('v128.and', scaled, splatInt(0x007fffff)), splat(0.5)));
  const low = lines.keep(less(mantissa, splat(Math.SQRT1_2)));
  const n = lines.keep(
    sub(
      sub(vector('f32x4.convert_i32x4_s', exponent), vector('v128.and', low, splat(1))),
      vector('v128.and', small, splat(23)),
    ),
  );
  const m = lines.keep(add(sub(mantissa, splat(1)), vector('v128.and', low, mantissa)));
  const squared = lines.keep(mul(m, m));
  const series: Coefficients = [
    7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
  ];
  const rest = add(mul(mul(polynomial(m, series), m), squared), mul(n, splat(-2.1219444e-4)));
  const value = add(add(m, sub(rest, mul(squared, splat(0.5)))), mul(n, splat(0.693359375)));
  const finite = lines.keep(value);
  // log 0 is −∞, that of negative numbers is NaN; infinity and NaN stay as they are.
  const ofPositive = choose(finite, x, less(x, splat(Infinity)));
  const ofZero = choose(splat(-Infinity), ofPositive, vector('f32x4.eq', x, splat(0)));
  return lines.keep(choose(splat(NaN), ofZero, less(x, splat(0))));
}

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (lines: Lines, x: Wat): Wat => lines.keep(div(splat(1), add(splat(1), exp(lines, neg(x)))));

/** Computes an odd polynomial near zero, otherwise ±(1 − 2 / (e^(2|x|) + 1)). */
export function tanh(lines: Lines, x: Wat): Wat {
  const magnitude = lines.keep(abs(x));
  const squared = lines.keep(mul(x, x));
  const series: Coefficients = [
    -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1,
  ];
  const near = lines.keep(add(mul(mul(polynomial(squared, series), squared), x), x));
  const power = exp(lines, add(magnitude, magnitude));
  const far = withSignOf(x, sub(splat(1), div(splat(2), add(power, splat(1)))));
  return lines.keep(choose(near, far, less(magnitude, splat(0.625))));
}

export function erf(lines: Lines, x: Wat): Wat {
  const t = lines.keep(abs(x));
  const s = lines.keep(mul(x, x));
  const fromZero: Coefficients = [
    -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1,
  ];
  const near = lines.keep(add(mul(polynomial(s, fromZero), x), x));
  const r = add(mul(polynomial(t, [-1.7285347e-5, 3.83197126e-4]), s), polynomial(t, [-3.88396438e-3, 2.42546219e-2]));
  const tail = [-1.06777877e-1, -6.34846687e-1, -1.28717512e-1].reduce((sum, c) => add(mul(sum, t), splat(c)), r);
  const exponent = lines.keep(sub(mul(tail, t), t));
  // For infinity the polynomial would subtract infinities.
  const far = withSignOf(x, sub(splat(1), exp(lines, choose(exponent, splat(-110), less(t, splat(10))))));
  const either = lines.keep(choose(near, far, less(t, splat(0.927734375))));
  return lines.keep(choose(x, either, vector('f32x4.ne', x, x)));
}

/** Computes log (1 + eˣ) = max(x, 0) + log1p(e^−|x|), with log1p(u) = u log w / (w − 1) at w = 1 + u. */
export function softplus(lines: Lines, x: Wat): Wat {
  const u = exp(lines, neg(abs(x)));
  const w = lines.keep(add(splat(1), u));
  const one = lines.keep(vector('f32x4.eq', w, splat(1)));
  const log1p = lines.keep(choose(u, mul(log(lines, w), div(u, sub(w, splat(1)))), one));
  return lines.keep(add(atLeast(x, splat(0)), log1p));
}

const withSignOf = (x: Wat, magnitude: Wat): Wat => vector('v128.bitselect', x, magnitude, splatInt(-0x80000000));
