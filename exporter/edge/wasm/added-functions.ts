/** Functions to add to a module, each with a type of its own. Their indices are known before they are added. */

import { concat, Reader, u32 } from './bytes.ts';
import { encodeBodies, encodeType, payloadOf, section, summarizeImports } from './module.ts';
import type { FunctionType, Section } from './module.ts';

export class AddedFunctions {
  readonly #sections: readonly Section[];
  readonly #firstFunction: number;
  readonly #firstType: number;
  readonly #types: Uint8Array[] = [];
  /** Holds the index of each function's type, in the order of the functions. */
  readonly #typeIndices: number[] = [];
  readonly #bodies: Uint8Array[] = [];

  constructor(sections: readonly Section[]) {
    this.#sections = sections;
    this.#firstFunction = summarizeImports(sections).functions + count(payloadOf(sections, section.function));
    this.#firstType = count(payloadOf(sections, section.type));
  }

  /** @returns the index of the type */
  type(type: FunctionType): number {
    return this.#firstType + this.#types.push(encodeType(type)) - 1;
  }

  /**
   * @param body with its local declarations and the last `end`
   * @returns the function's index
   */
  add(type: FunctionType, body: Uint8Array): number {
    this.#typeIndices.push(this.type(type));
    return this.#firstFunction + this.#bodies.push(body) - 1;
  }

  /**
   * Returns the payloads of the sections that change.
   *
   * @param bodies of the functions that the module had before
   */
  payloads(bodies: readonly Uint8Array[]): Readonly<Record<number, Uint8Array>> {
    const typeIndices = this.#typeIndices.map((index) => Uint8Array.from(u32(index)));
    return {
      [section.type]: append(payloadOf(this.#sections, section.type), this.#types),
      [section.function]: append(payloadOf(this.#sections, section.function), typeIndices),
      [section.code]: encodeBodies([...bodies, ...this.#bodies]),
    };
  }
}

/** Counts the items of a vector. */
export function count(items: Uint8Array): number {
  return new Reader(items).u32();
}

/** Returns a vector with more items after the old ones. */
export function append(items: Uint8Array, more: readonly Uint8Array[]): Uint8Array {
  const reader = new Reader(items);
  const length = reader.u32();
  return concat([u32(length + more.length), items.subarray(reader.offset), ...more]);
}
