/**
 * Reads a model whose weights lie in files beside it as a single file: torch.onnx.export writes `model.onnx.data`, and
 * large models have several. https://onnx.ai/onnx/repo-docs/ExternalData.html
 */
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, isAbsolute } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { elementCount } from '../../training/arrays/index.ts';
import { cannotRead, quote, UserError } from '../../training/files/index.ts';
import { encodeTensorProto } from '../../training/graph/index.ts';
import { fieldOf, type Pieces, splice } from './splice.ts';

/** Fields by the message that has them: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto */
const fields = {
  model: { graph: 7, functions: 25 },
  graph: { node: 1, initializer: 5, sparseInitializer: 15 },
  function: { node: 7 },
  node: { attribute: 5 },
  attribute: { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparse: 22, sparses: 23 },
  sparse: { values: 1, indices: 2 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
} as const;

/** A Worker carries no model with more weights. */
const MAX_BYTES = 2 ** 30;

/** The maximum depth of graphs in graphs. */
const DEEPEST = 50;

/**
 * Returns the model with all of its data inside.
 *
 * @param path of the model; files that it names are looked for in its folder, and nowhere else
 * @returns `bytes` itself, if all data are in it
 * @throws UserError, in one line that begins with the model, for data that are missing, incomplete, or elsewhere
 */
export function withExternalData(path: string, bytes: Uint8Array): Uint8Array {
  // Every reference to a file has this key.
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('location')) return bytes;
  const state: State = { path, bytes: 0, found: 0 };
  let pieces: Pieces;
  try {
    pieces = modelPieces(bytes, state);
  } catch (error) {
    if (error instanceof UserError) throw error;
    // If this is not an ONNX model, the caller that reads it reports that.
    return bytes;
  }
  return state.found > 0 ? Buffer.concat(pieces) : bytes;
}

interface State {
  readonly path: string;
  bytes: number;
  found: number;
}

type Change = (message: Uint8Array) => Pieces | undefined;

/** Returns the message with the messages in its fields changed; undefined if none is. */
function changed(
  message: Uint8Array,
  changes: readonly (readonly [field: number, change: Change])[],
): Pieces | undefined {
  let current = message;
  for (const [field, change] of changes) {
    let any: Pieces | undefined;
    const pieces = splice(current, field, (_i, begin, end) => {
      const content = change(current.subarray(begin, end));
      any ??= content;
      return content && fieldOf(field, content);
    });
    if (any !== undefined) current = Buffer.concat(pieces);
  }
  return current === message ? undefined : [current];
}

function modelPieces(model: Uint8Array, state: State): Pieces {
  const graph: Change = (message) => graphPieces(message, state, 0);
  const definition: Change = (message) =>
    changed(message, [[fields.function.node, (node) => nodePieces(node, state, 0)]]);
  return changed(model, [[fields.model.graph, graph], [fields.model.functions, definition]]) ?? [model]; // oxfmt-ignore
}

function graphPieces(graph: Uint8Array, state: State, depth: number): Pieces | undefined {
  if (depth > DEEPEST) return undefined;
  return changed(graph, [
    [fields.graph.initializer, (tensor) => tensorPieces(tensor, state)],
    [fields.graph.sparseInitializer, (sparse) => sparsePieces(sparse, state)],
    [fields.graph.node, (node) => nodePieces(node, state, depth)],
  ]);
}

const nodePieces = (node: Uint8Array, state: State, depth: number): Pieces | undefined =>
  changed(node, [[fields.node.attribute, (attribute) => attributePieces(attribute, state, depth)]]);

function attributePieces(attribute: Uint8Array, state: State, depth: number): Pieces | undefined {
  const tensor: Change = (message) => tensorPieces(message, state);
  const graph: Change = (message) => graphPieces(message, state, depth + 1);
  const sparse: Change = (message) => sparsePieces(message, state);
  return changed(attribute, [
    [fields.attribute.tensor, tensor],
    [fields.attribute.graph, graph],
    [fields.attribute.tensors, tensor],
    [fields.attribute.graphs, graph],
    [fields.attribute.sparse, sparse],
    [fields.attribute.sparses, sparse],
  ]);
}

function sparsePieces(sparse: Uint8Array, state: State): Pieces | undefined {
  const tensor: Change = (message) => tensorPieces(message, state);
  return changed(sparse, [[fields.sparse.values, tensor], [fields.sparse.indices, tensor]]); // oxfmt-ignore
}

interface Tensor {
  readonly dims: number[];
  dataType: number;
  name: string;
  isExternal: boolean;
  readonly entries: Map<string, string>;
}

function readTensor(message: Uint8Array): Tensor {
  const reader = protobuf.Reader.create(message);
  const tensor: Tensor = { dims: [], dataType: 0, name: '', isExternal: false, entries: new Map() };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [field, wire] = [tag >>> 3, tag & 7];
    if (field === fields.tensor.dims && wire === 0) tensor.dims.push(Number(reader.int64()));
    else if (field === fields.tensor.dims)
      for (const end = reader.uint32() + reader.pos; reader.pos < end;) tensor.dims.push(Number(reader.int64()));
    else if (field === fields.tensor.dataType) tensor.dataType = reader.int32();
    else if (field === fields.tensor.name) tensor.name = reader.string();
    else if (field === fields.tensor.dataLocation) tensor.isExternal = reader.int32() === 1;
    else if (field === fields.tensor.externalData) readEntry(reader.bytes(), tensor.entries);
    else reader.skipType(wire);
  }
  return tensor;
}

function readEntry(message: Uint8Array, entries: Map<string, string>): void {
  const reader = protobuf.Reader.create(message);
  const texts: [key: string, value: string] = ['', ''];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1 || tag >>> 3 === 2) texts[(tag >>> 3) - 1] = reader.string();
    else reader.skipType(tag & 7);
  }
  entries.set(...texts);
}

function tensorPieces(message: Uint8Array, state: State): Pieces | undefined {
  const tensor = readTensor(message);
  if (!tensor.isExternal) return undefined;
  const { path } = state;
  const data = dataOf(path, tensor);
  state.found++;
  state.bytes += data.byteLength;
  if (state.bytes > MAX_BYTES) throw new UserError(`${path}: expected at most ${MAX_BYTES} bytes beside it, got more`);
  const { name, dims, dataType } = tensor;
  return [encodeTensorProto({ name, dims, dataType, rawData: data })];
}

function dataOf(model: string, { name, dims, dataType, entries }: Tensor): Uint8Array {
  const where = `${model}: tensor ${quote(name)}`;
  const expected = elementCount(dims) * (bytesPerElement[dataType] ?? NaN);
  if (!Number.isSafeInteger(expected) || expected < 0)
    throw new UserError(`${where}: expected numbers in the file beside the model, got data type ${dataType}`);
  const location = entries.get('location') ?? '';
  const file = fileOf(model, where, location);
  const size = statSync(file).size;
  const offset = wholeNumber(where, 'offset', entries.get('offset') ?? '0');
  const length = wholeNumber(where, 'length', entries.get('length') ?? String(size - offset));
  if (length !== expected)
    throw new UserError(`${where}: expected ${expected} bytes in ${quote(location)}, got ${length}`);
  if (offset + length > size)
    throw new UserError(`${where}: expected ${offset + length} bytes of ${quote(location)}, got a file of ${size}`);
  return readPart(file, offset, length);
}

/**
 * @throws UserError for a file outside the model's folder, be it by its path or by a link, or one that does not exist
 */
function fileOf(model: string, where: string, location: string): string {
  const parts = location.split(/[/\\]/);
  if (
    location === '' ||
    isAbsolute(location) ||
    /^[a-z]:/i.test(location) ||
    parts.includes('..') ||
    location.includes('\0')
  )
    throw new UserError(`${where}: expected a file in the model's folder, got ${quote(location)}`);
  const file = join(dirname(model), ...parts);
  const real = (path: string): string => {
    try {
      return realpathSync(path);
    } catch (error) {
      throw new UserError(
        `${where}: its numbers are in ${quote(location)}, which belongs beside the model: ${reasonOf(file, error)}`,
        { cause: error },
      );
    }
  };
  const inside = relative(real(dirname(model)), real(file));
  if (inside.startsWith('..') || isAbsolute(inside) || !statSync(file).isFile())
    throw new UserError(`${where}: expected a file in the model's folder, got ${quote(location)}`);
  return file;
}

const reasonOf = (file: string, error: unknown): string => cannotRead(file, error).message.replace(`${file}: `, '');

function wholeNumber(where: string, what: string, text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(number)) throw new UserError(`${where}: ${what}: expected a whole number, got ${quote(text)}`);
  return number;
}

function readPart(file: string, offset: number, length: number): Uint8Array {
  const part = new Uint8Array(length);
  const descriptor = openSync(file, 'r');
  try {
    let read = 0;
    while (read < length) {
      const more = readSync(descriptor, part, read, length - read, offset + read);
      if (more === 0) throw new UserError(`${file}: expected ${offset + length} bytes, got ${offset + read}`);
      read += more;
    }
  } finally {
    closeSync(descriptor);
  }
  return part;
}

/** Maps `TensorProto.DataType` to sizes. Texts cannot be external. */
const bytesPerElement: Readonly<Record<number, number | undefined>> = {
  1: 4, // FLOAT
  2: 1, // UINT8
  3: 1, // INT8
  4: 2, // UINT16
  5: 2, // INT16
  6: 4, // INT32
  7: 8, // INT64
  9: 1, // BOOL
  10: 2, // FLOAT16
  11: 8, // DOUBLE
  12: 4, // UINT32
  13: 8, // UINT64
  14: 8, // COMPLEX64
  15: 16, // COMPLEX128
  16: 2, // BFLOAT16
  17: 1, // FLOAT8E4M3FN
  18: 1, // FLOAT8E4M3FNUZ
  19: 1, // FLOAT8E5M2
  20: 1, // FLOAT8E5M2FNUZ
};
