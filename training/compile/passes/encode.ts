/**
 * Encodes the text of passes as a module's bytes. Binaryen, which knows the whole language, takes longer to load than a
 * small training run takes. A test compares the two.
 *
 *     (module (import "host" "memory" (memory 1 (maximum shared)?))
 *       (func $name (export "name")? (param $p i32)* (local $l v128)* body))
 *
 * Source: https://webassembly.github.io/spec/core/binary/
 */

type Form = string | readonly Form[];
type Bytes = readonly number[];

/**
 * The immediates that follow an instruction's code: nothing, an address's alignment and offset, the same with a lane,
 * or lanes.
 */
type Immediates = 'none' | 'memory' | 'memoryLane' | 'lanes';

const simple = (...code: Bytes) => ({ code, immediates: 'none' as const });
/** An instruction with the prefix of vectors, its number in LEB128 like all integers. */
const simd = (number: number, immediates: Immediates = 'none') => ({ code: [0xfd, ...unsigned(number)], immediates });

/** An instruction with the prefix of threads. */
const atomic = (number: number) => ({ code: [0xfe, number], immediates: 'memory' as const });

/** The instructions without special syntax. Constants, locals, loops and calls are in `encoders`. */
const instructions: Readonly<Record<string, { readonly code: Bytes; readonly immediates: Immediates }>> = {
  unreachable: simple(0x00),
  'i32.load': { code: [0x28], immediates: 'memory' },
  'f32.load': { code: [0x2a], immediates: 'memory' },
  'i32.store': { code: [0x36], immediates: 'memory' },
  'i32.eq': simple(0x46),
  'i32.lt_s': simple(0x48),
  'i32.lt_u': simple(0x49),
  'i32.ge_u': simple(0x4f),
  'f32.gt': simple(0x5e),
  'i32.add': simple(0x6a),
  'i32.sub': simple(0x6b),
  'i32.mul': simple(0x6c),
  'i32.div_u': simple(0x6e),
  select: simple(0x1b),
  drop: simple(0x1a),
  'memory.atomic.notify': atomic(0x00),
  'memory.atomic.wait32': atomic(0x01),
  'i32.atomic.load': atomic(0x10),
  'i32.atomic.store': atomic(0x17),
  'v128.load': simd(0, 'memory'),
  'v128.load32_splat': simd(9, 'memory'),
  'v128.store': simd(11, 'memory'),
  'i8x16.shuffle': simd(13, 'lanes'),
  'i32x4.eq': simd(55),
  'i32x4.ne': simd(56),
  'i32x4.gt_s': simd(59),
  'i32x4.ge_s': simd(63),
  'f32x4.eq': simd(65),
  'f32x4.ne': simd(66),
  'f32x4.lt': simd(67),
  'f32x4.gt': simd(68),
  'f32x4.ge': simd(70),
  'v128.and': simd(78),
  'v128.or': simd(80),
  'v128.bitselect': simd(82),
  'v128.load32_lane': simd(86, 'memoryLane'),
  'v128.store32_lane': simd(90, 'memoryLane'),
  'f32x4.nearest': simd(106),
  'i32x4.neg': simd(161),
  'i32x4.shl': simd(171),
  'i32x4.shr_s': simd(172),
  'i32x4.shr_u': simd(173),
  'i32x4.add': simd(174),
  'i32x4.sub': simd(177),
  'i32x4.mul': simd(181),
  'i32x4.max_s': simd(184),
  'f32x4.abs': simd(224),
  'f32x4.neg': simd(225),
  'f32x4.sqrt': simd(227),
  'f32x4.add': simd(228),
  'f32x4.sub': simd(229),
  'f32x4.mul': simd(230),
  'f32x4.div': simd(231),
  'f32x4.max': simd(233),
  'f32x4.pmin': simd(234),
  'f32x4.pmax': simd(235),
  'i32x4.trunc_sat_f32x4_s': simd(248),
  'f32x4.convert_i32x4_s': simd(250),
  'f32x4.convert_i32x4_u': simd(251),
  'f32x4.relaxed_madd': simd(261),
};

/** The names of all instructions, for the test that uses each. */
export const instructionNames = Object.keys(instructions);

const valueTypes: Readonly<Record<string, number>> = { i32: 0x7f, v128: 0x7b };

/** Returns the module's bytes. A word outside the subset is an error in the compiler, not the user's. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  const [module = []] = parse(text);
  const fields = lists(module);
  const functions = fields.filter(([head]) => head === 'func').map(functionOf);
  const names = functions.map(({ name }) => name);
  const parameters = functions.map(({ params }) => params);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      parameters.map((params) => [0x60, ...vector(params.map(() => [0x7f])), ...vector([])]),
    ),
    ...section(2, fields.filter(([head]) => head === 'import').map(importOf)),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...section(
      7,
      functions.flatMap(({ exported }, i) => (exported ? [[...string(exported), 0x00, ...unsigned(i)]] : [])),
    ),
    ...section(
      10,
      functions.map((code) => bodyOf(code, names)),
    ),
  ]);
}

interface Code {
  readonly name: string;
  readonly exported: string | undefined;
  readonly params: readonly string[];
  readonly locals: readonly (readonly [name: string, type: number])[];
  readonly body: readonly Form[];
}

function functionOf([, name, ...fields]: readonly Form[]): Code {
  const declared = (head: string) => lists(fields).filter(([first]) => first === head);
  const declarations = new Set(['export', 'param', 'local']);
  return {
    name: wordOf(name),
    exported: declared('export').map(([, text]) => unquoted(text))[0],
    params: declared('param').map(([, param]) => wordOf(param)),
    locals: declared('local').map(([, local, type]) => [wordOf(local), valueTypes[wordOf(type)] ?? unknown(type)]),
    body: fields.filter((field) => typeof field === 'string' || !declarations.has(String(field[0]))),
  };
}

function importOf([, module, name, memory]: readonly Form[]): Bytes {
  const [, pages, maximum] = typeof memory === 'object' ? memory : [];
  const limits = maximum === undefined ? [0x00] : [0x03];
  const sizes = [pages, maximum].flatMap((size) => (size === undefined ? [] : unsigned(Number(size))));
  return [...string(unquoted(module)), ...string(unquoted(name)), 0x02, ...limits, ...sizes];
}

function bodyOf({ params, locals, body }: Code, functions: readonly string[]): Bytes {
  const names = [...params, ...locals.map(([name]) => name)];
  const code = [
    ...vector(locals.map(([, type]) => [0x01, type])),
    ...body.flatMap((form) => instruction(form, { locals: names, functions, labels: [] })),
    0x0b,
  ];
  return [...unsigned(code.length), ...code];
}

interface Scope {
  readonly locals: readonly string[];
  readonly functions: readonly string[];
  /** The labels of the enclosing blocks, innermost first. */
  readonly labels: readonly string[];
}

type Encoder = (rest: readonly Form[], scope: Scope) => Bytes;

const local =
  (code: number): Encoder =>
  ([name, ...values], scope) => [...all(values, scope), code, ...indexOf(scope.locals, name)];

const encoders: Readonly<Record<string, Encoder>> = {
  'i32.const': ([value]) => [0x41, ...signed(Number(value) | 0)],
  // Signed LEB128 takes only as many bytes as needed.
  'i64.const': ([value]) => [0x42, ...signed(Number(value) | 0)],
  'v128.const': ([, ...words]) => [
    ...[0xfd, 0x0c],
    ...new Uint8Array(Int32Array.from(words, (word) => Number(word) | 0).buffer),
  ],
  'local.get': local(0x20),
  'local.set': local(0x21),
  'local.tee': local(0x22),
  loop: ([label, ...body], scope) => {
    const inside = { ...scope, labels: [wordOf(label), ...scope.labels] };
    return [0x03, 0x40, ...all(body, inside), 0x0b];
  },
  if: ([condition = '', consequence = []], scope) => [
    ...instruction(condition, scope),
    ...[0x04, 0x40],
    ...all(lists(consequence as readonly Form[]), { ...scope, labels: ['', ...scope.labels] }),
    0x0b,
  ],
  br_if: ([label, condition = ''], scope) => [...instruction(condition, scope), 0x0d, ...indexOf(scope.labels, label)],
  call: ([name, ...values], scope) => [...all(values, scope), 0x10, ...indexOf(scope.functions, name)],
};

const all = (forms: readonly Form[], scope: Scope): Bytes => forms.flatMap((form) => instruction(form, scope));

/** Encodes the operands, then the instruction, then its immediates. */
function instruction(form: Form, scope: Scope): Bytes {
  if (typeof form === 'string') return unknown(form);
  const [head, ...rest] = form;
  const name = wordOf(head);
  const encoder = encoders[name];
  if (encoder) return encoder(rest, scope);
  const known = instructions[name] ?? unknown(name);
  const words = rest.filter((word) => typeof word === 'string');
  return [...all(lists(rest), scope), ...known.code, ...immediates[known.immediates](words)];
}

/** The alignment is four bytes, since numbers may lie anywhere. */
const memory = (words: readonly string[]): Bytes => {
  const offset = words.find((word) => word.startsWith('offset='));
  return [0x02, ...unsigned(Number(offset?.slice('offset='.length) ?? 0))];
};
const numbers = (words: readonly string[]): Bytes => words.filter((word) => /^\d+$/.test(word)).map(Number);

const immediates: Readonly<Record<Immediates, (words: readonly string[]) => Bytes>> = {
  none: () => [],
  memory,
  memoryLane: (words) => [...memory(words), ...numbers(words)],
  lanes: numbers,
};

function indexOf(names: readonly string[], name: Form | undefined): Bytes {
  const index = names.indexOf(wordOf(name));
  return index < 0 ? unknown(name) : unsigned(index);
}

function parse(text: string): readonly (readonly Form[])[] {
  const stack: Form[][] = [[]];
  for (const [token] of text.replace(/;;[^\n]*/g, '').matchAll(/[()]|[^\s()]+/g)) {
    if (token === '(') stack.push([]);
    else if (token === ')') {
      const done = stack.pop() ?? [];
      stack.at(-1)?.push(done);
    } else stack.at(-1)?.push(token);
  }
  return lists(stack[0] ?? []);
}

const lists = (forms: readonly Form[]): readonly (readonly Form[])[] =>
  forms.filter((form) => typeof form === 'object');
const wordOf = (form: Form | undefined): string => (typeof form === 'string' ? form : unknown(form));
const unquoted = (form: Form | undefined): string => wordOf(form).replaceAll('"', '');

function unknown(form: Form | undefined): never {
  throw new Error(
    `internal: ${JSON.stringify(form)} is not of the subset of WebAssembly's text that passes are written in`,
  );
}

const vector = (items: readonly Bytes[]): Bytes => [...unsigned(items.length), ...items.flat()];

function section(id: number, items: readonly Bytes[]): Bytes {
  const content = vector(items);
  return [id, ...unsigned(content.length), ...content];
}

const string = (text: string): Bytes => vector([...new TextEncoder().encode(text)].map((byte) => [byte]));

/** Encodes an integer as LEB128: seven bits a byte, lowest first. */
function unsigned(value: number): Bytes {
  return value < 128 ? [value] : [(value % 128) | 128, ...unsigned(Math.floor(value / 128))];
}

function signed(value: number): Bytes {
  const bits = value & 127;
  const rest = value >> 7;
  const ends = (rest === 0 && bits < 64) || (rest === -1 && bits >= 64);
  return ends ? [bits] : [bits | 128, ...signed(rest)];
}
