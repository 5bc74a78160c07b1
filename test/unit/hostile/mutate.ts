/** Damages files in ways that break careless readers. The same seed gives the same mutants. */
import type { Random } from '../../reference/random.ts';

type Mutation = (random: Random, file: Buffer, others: readonly Buffer[], tokens: readonly string[]) => Buffer;

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[below(random, items.length)] as Item;

/** Sizes, offsets and counts at the edges of what a field can hold. */
const extremes = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const mutations: readonly Mutation[] = [
  function flipBit(random, file) {
    const at = below(random, file.length);
    file[at] = (file[at] ?? 0) ^ (1 << below(random, 8));
    return file;
  },
  function setByte(random, file) {
    file[below(random, file.length)] = pick(random, extremes) & 0xff;
    return file;
  },
  function setSize(random, file) {
    const at = below(random, file.length - 4);
    if (at < 0) return file;
    const value = pick(random, [...extremes, file.length]);
    if (random() < 0.5) file.writeUInt32LE(value, at);
    else file.writeUInt32BE(value, at);
    return file;
  },
  function cutEnd(random, file) {
    return file.subarray(0, below(random, file.length));
  },
  function cutStart(random, file) {
    return file.subarray(below(random, file.length));
  },
  function append(random, file, others) {
    return Buffer.concat([file, random() < 0.5 ? pick(random, others) : Buffer.alloc(1 + below(random, 9), 0xff)]);
  },
  function remove(random, file) {
    const at = below(random, file.length);
    return Buffer.concat([file.subarray(0, at), file.subarray(at + 1 + below(random, 16))]);
  },
  function repeat(random, file) {
    const [from, length] = [below(random, file.length), 1 + below(random, 64)];
    const part = file.subarray(from, from + length);
    return Buffer.concat([file.subarray(0, from), part, file.subarray(from)]);
  },
  function splice(random, file, others) {
    const other = pick(random, others);
    return Buffer.concat([file.subarray(0, below(random, file.length)), other.subarray(below(random, other.length))]);
  },
  function insertToken(random, file, _, tokens) {
    const at = below(random, file.length);
    const skipped = random() < 0.5 ? 0 : below(random, 8);
    return Buffer.concat([file.subarray(0, at), Buffer.from(pick(random, tokens)), file.subarray(at + skipped)]);
  },
];

/**
 * Damages one of the files in one to three ways.
 * @param tokens pieces of text that have a meaning in the format
 */
export function mutate(random: Random, files: readonly Uint8Array[], tokens: readonly string[]): Buffer {
  const others = files.map((file) => Buffer.from(file));
  let mutant = Buffer.from(pick(random, others));
  for (let i = 1 + below(random, 3); i > 0 && mutant.length > 0; i--) {
    mutant = Buffer.from(pick(random, mutations)(random, mutant, others, tokens));
  }
  return mutant;
}
