/**
 * The view that a rule has of a file while its nodes are read one by one: the node, what is known before it, and the
 * means to replace it.
 */
import type { onnx } from '../onnx-proto.ts';
import { onnxProto } from '../onnx-proto.ts';
import { type DType, type Shape, type Tensor, Value } from '../types.ts';

const { AttributeType } = onnxProto.onnx.AttributeProto;

export type NodeProto = onnx.INodeProto;
export type AttributeProto = onnx.IAttributeProto;

/** The graph as far as it has been read. */
export interface Reading {
  readonly look: (name: string) => Value | undefined;
  /** Adds a node whose inputs have been read. */
  readonly add: (node: NodeProto) => void;
  readonly store: (value: Value) => void;
}

/**
 * Replaces a node.
 *
 * @returns false, and has added nothing, for a node that it leaves as it is
 */
export type Rule = (node: Foreign) => boolean;

/** A node of any ONNX file. The nodes that replace it get its name, and the last of them gets its outputs' names. */
export class Foreign {
  readonly proto: NodeProto;
  readonly #reading: Reading;
  #parts = 0;

  constructor(proto: NodeProto, reading: Reading) {
    this.proto = proto;
    this.#reading = reading;
  }

  get op(): string {
    return this.proto.opType ?? '';
  }

  get inputs(): readonly string[] {
    return this.proto.input ?? [];
  }

  /** Returns the name of an input by its position; one that is left out has the name ''. */
  input(i: number): string {
    return this.inputs[i] ?? '';
  }

  /** The name of the first input. */
  get x(): string {
    return this.input(0);
  }

  /** The name of the first output. */
  get out(): string {
    return this.proto.output?.[0] ?? '';
  }

  attribute(name: string): AttributeProto | undefined {
    return this.proto.attribute?.find((attribute) => attribute.name === name);
  }

  intOf(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    return attribute ? Number(attribute.i ?? 0) : otherwise;
  }

  floatOf(name: string, otherwise: number): number {
    return this.attribute(name)?.f ?? otherwise;
  }

  intsOf(name: string): readonly number[] | undefined {
    return this.attribute(name)?.ints?.map(Number);
  }

  textOf(name: string, otherwise: string): string {
    const bytes = this.attribute(name)?.s;
    return bytes ? new TextDecoder().decode(bytes) : otherwise;
  }

  /** Is true where the node has no other attributes than these. */
  hasOnly(...names: readonly string[]): boolean {
    return (this.proto.attribute ?? []).every(({ name }) => names.includes(name ?? ''));
  }

  look(name: string): Value | undefined {
    return this.#reading.look(name);
  }

  dtypeOf(name: string): DType | undefined {
    return this.look(name)?.dtype;
  }

  /** Returns the shape of a value, if it is known. */
  shapeOf(name: string): Shape | undefined {
    return this.look(name)?.shape;
  }

  /** Returns the sizes of a value, if all are known. */
  sizesOf(name: string): readonly number[] | undefined {
    const shape = this.shapeOf(name);
    return shape?.every((dim) => typeof dim === 'number') ? shape : undefined;
  }

  /** Returns the numbers of a stored tensor. */
  numbersOf(name: string): readonly number[] | undefined {
    const constant = this.look(name)?.constant;
    return constant && Array.from<number | bigint, number>(constant.data, Number);
  }

  /** Returns the number of a stored tensor with a single element. */
  numberOf(name: string): number | undefined {
    const numbers = this.numbersOf(name);
    return numbers?.length === 1 ? numbers[0] : undefined;
  }

  /**
   * Stores a tensor.
   *
   * @returns its name, which begins with the node's output and contains `what`
   */
  store(what: string, tensor: Tensor): string {
    return this.storeAs(this.#named(what), tensor);
  }

  storeAs(name: string, tensor: Tensor): string {
    this.#reading.store(new Value(name, tensor, tensor));
    return name;
  }

  scalar(number: number, dtype: 'float32' | 'bool' = 'float32'): string {
    if (dtype === 'bool') return this.store('bool', { dtype, shape: [], data: Uint8Array.of(number) });
    return this.store('number', { dtype: 'float32', shape: [], data: Float32Array.of(number) });
  }

  floats(numbers: ArrayLike<number>, shape: readonly number[]): string {
    return this.store('numbers', { dtype: 'float32', shape, data: Float32Array.from(numbers) });
  }

  ints(numbers: readonly number[]): string {
    return this.store('ints', {
      dtype: 'int64',
      shape: [numbers.length],
      data: BigInt64Array.from(numbers, BigInt),
    });
  }

  /**
   * Adds one of the nodes that replace this node.
   *
   * @returns its first output
   */
  add(
    opType: string,
    input: readonly string[],
    attribute: readonly AttributeProto[] = [],
    output: readonly string[] = [this.#named(opType)],
  ): string {
    const { name } = this.proto;
    const part = { opType, input: [...input], output: [...output], attribute: [...attribute] };
    this.#reading.add({ ...(name ? { name } : {}), ...part });
    return output[0] ?? '';
  }

  /**
   * Adds the last replacing node, whose output is the node's output.
   *
   * @returns true, as rules do
   */
  end(opType: string, input: readonly string[], attribute: readonly AttributeProto[] = []): true {
    this.add(opType, input, attribute, [this.out]);
    return true;
  }

  /** Adds the same op with other inputs or attributes, and all of its outputs. */
  again(input: readonly string[], attribute: readonly AttributeProto[]): true {
    this.add(this.op, input, attribute, this.proto.output ?? []);
    return true;
  }

  /** Reshapes a value; a free dimension keeps its position. */
  reshaped(x: string, shape: Shape): string {
    return this.add('Reshape', [x, this.ints(wantedShape(shape))]);
  }

  endReshaped(x: string, shape: Shape): true {
    return this.end('Reshape', [x, this.ints(wantedShape(shape))]);
  }

  #named(what: string): string {
    return `${this.out}/${what}${this.#parts++}`;
  }
}

/**
 * Returns a shape for Reshape. A free dimension in the first position is kept (0), elsewhere it takes the remaining
 * elements (−1).
 */
const wantedShape = (shape: Shape): readonly number[] =>
  shape.map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? 0 : -1));

export const int = (name: string, i: number): AttributeProto => ({ name, type: AttributeType.INT, i });
export const ints = (name: string, list: readonly number[]): AttributeProto => ({
  name,
  type: AttributeType.INTS,
  ints: [...list],
});
export const float = (name: string, f: number): AttributeProto => ({ name, type: AttributeType.FLOAT, f });

/** Returns the axis counted from the front. */
export const axisFromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const axesFromFront = (axes: readonly number[], rank: number): readonly number[] =>
  axes.map((axis) => axisFromFront(axis, rank));

/** Returns 0, 1, …, length − 1. */
export const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);
