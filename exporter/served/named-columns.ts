/**
 * Turns a model with named columns, of which some are texts, as pipelines of scikit-learn have, into one that takes the
 * rows of a table: every input becomes a column of one tensor of numbers, in which a text is the index of its category.
 * The model then takes the same requests as any table of this project, and no texts have to be sent.
 */
import type { Column } from '../../training/data/index.ts';
import { quote } from '../../training/files/index.ts';
import { encodeGraphProto, GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';
import { changeGraph, graphFields } from './change-graph.ts';
import { attributeOf, type Constants, constantsOf } from './constants.ts';
import { splice } from './splice.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
const { INT } = AttributeProto.AttributeType;
const DataType: Readonly<Record<'FLOAT' | 'INT64' | 'STRING', number>> = TensorProto.DataType;

/** Names the input for the rows. */
export const rowsName = 'features';

/** The maximum of all columns together. */
const MAX_CATEGORIES = 2 ** 16;

export interface Table {
  readonly bytes: Uint8Array;
  readonly columns: readonly Column[];
}

/**
 * @param graph what the bytes hold
 * @returns `undefined` for a model without texts among its inputs
 * @throws GraphError that names the input that is not a column, or whose texts are not categories; or as `changeGraph`
 */
export function tableOf(bytes: Uint8Array, graph: onnx.IGraphProto): Table | undefined {
  const stored = new Set((graph.initializer ?? []).map(({ name }) => name));
  const inputs = (graph.input ?? []).filter(({ name }) => !stored.has(name));
  if (!inputs.some(isText)) return undefined;
  const ports = inputs.map(columnsOf);
  const categories = categoriesOf(graph, ports);
  const columns = ports.flatMap((port) =>
    port.names.map((name, i) => column(name, port, categories.get(placeOf(port.input, i)))),
  );
  const additions = encodeGraphProto(entrance(graph, ports, columns));
  const own = new Set(ports.map(({ input }) => input));
  const changed = changeGraph(bytes, (content) => {
    const left = splice(content, graphFields.input, (i) => (own.has(graph.input?.[i]?.name ?? '') ? [] : undefined));
    // Nodes are stored in the order in which they run.
    return [additions, ...left];
  });
  return { bytes: changed, columns };
}

const isText = ({ type }: onnx.IValueInfoProto): boolean => type?.tensorType?.elemType === DataType.STRING;

interface ColumnPort {
  readonly input: string;
  readonly names: readonly string[];
  readonly elemType: number;
  /** `rank` is 1 for `[N]`, and 2 for `[N, columns]`. */
  readonly rank: number;
}

function columnsOf(info: onnx.IValueInfoProto): ColumnPort {
  const input = info.name ?? '';
  const dims = info.type?.tensorType?.shape?.dim;
  const width = dims?.length === 1 ? 1 : Number(dims?.[1]?.dimValue ?? 0);
  if (!dims || dims.length > 2 || dims.length === 0 || width < 1 || width > MAX_CATEGORIES) {
    throw new GraphError(
      `${quote(input)}: expected a column of a table, [N, 1], beside others that are texts, got another shape`,
    );
  }
  const names = width === 1 ? [input] : Array.from({ length: width }, (_, i) => `${input}_${i}`);
  return { input, names, elemType: info.type?.tensorType?.elemType ?? 0, rank: dims.length };
}

function column(name: string, { elemType }: ColumnPort, categories: readonly string[] | undefined): Column {
  if (elemType !== DataType.STRING) return { kind: 'numeric', name, fill: null };
  if (!categories?.length) {
    throw new GraphError(
      `${quote(name)}: expected texts of which the file knows the categories (OneHotEncoder, OrdinalEncoder), got others: prepare them before the model, and export what takes numbers`,
    );
  }
  return { kind: 'categorical', name, categories, fill: null };
}

/** Returns a key for a column of an input. */
const placeOf = (input: string, column: number): string => JSON.stringify([input, column]);

/** Collects the texts that encoders compare each column with, by the column's key. */
function categoriesOf(graph: onnx.IGraphProto, ports: readonly ColumnPort[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  const places = new Map<string, readonly string[]>(
    ports
      .filter(({ elemType }) => elemType === DataType.STRING)
      .map(({ input, names }) => [input, names.map((_, i) => placeOf(input, i))]),
  );
  const constant = constantsOf(graph);
  let count = 0;
  for (const node of graph.node ?? []) {
    const from = places.get(node.input?.[0] ?? '');
    const texts = from ? textsOf(node) : [];
    for (const place of from ?? []) {
      const known = found.get(place) ?? new Set<string>();
      for (const text of texts) known.add(text);
      if (texts.length > 0) found.set(place, known);
      count += texts.length;
    }
    if (count > MAX_CATEGORIES) throw new GraphError(`expected at most ${MAX_CATEGORIES} categories, got more`);
    const to = passedOn(node, places, constant);
    if (to) for (const output of node.output ?? []) places.set(output, to);
  }
  return new Map([...found].map(([place, texts]) => [place, [...texts]]));
}

/** Lists the categories of an encoder. */
function textsOf(node: onnx.INodeProto): readonly string[] {
  const names = ['cats_strings', 'keys_strings', 'classes_strings'];
  return names.flatMap((name) =>
    (attributeOf(node, name)?.strings ?? []).map((text) => new TextDecoder().decode(text)),
  );
}

type Places = ReadonlyMap<string, readonly string[]>;

/** Operators that keep columns as they are, or replace their texts one by one. */
const passing = /^(Identity|Reshape|Flatten|Squeeze|Unsqueeze|StringNormalizer)$/;
const choosing = /^(Gather|ArrayFeatureExtractor)$/;

/** Returns the keys of the columns that a node passes on. */
function passedOn(node: onnx.INodeProto, places: Places, constant: Constants): readonly string[] | undefined {
  const opType = node.opType ?? '';
  const from = places.get(node.input?.[0] ?? '');
  if (passing.test(opType)) return from;
  if (opType === 'Concat') {
    const all = (node.input ?? []).map((name) => places.get(name));
    return all.every((part) => part !== undefined) ? all.flat() : undefined;
  }
  const indices = choosing.test(opType) ? constant(node.input?.[1] ?? '')?.values : undefined;
  return from && indices && Array.from(indices).flatMap((index) => from.at(index) ?? []);
}

/** Builds the input for the rows, and the nodes that make the file's own inputs from it. */
function entrance(graph: onnx.IGraphProto, ports: readonly ColumnPort[], columns: readonly Column[]): onnx.IGraphProto {
  const taken = new Set([...(graph.initializer ?? []), ...(graph.input ?? [])].map(({ name }) => name ?? ''));
  for (const { output } of graph.node ?? []) for (const name of output ?? []) taken.add(name);
  const rows = unused(rowsName, taken);
  const tensorType = { elemType: DataType.FLOAT, shape: { dim: [{ dimParam: 'N' }, { dimValue: columns.length }] } };
  const node: onnx.INodeProto[] = [];
  const initializer: onnx.ITensorProto[] = [];
  let at = 0;
  for (const port of ports) {
    const parts = port.names.map(() => {
      const name = unused(`${rows}/${at}`, taken);
      const index = integers(`${name}/index`, [at]);
      initializer.push(index);
      const numbers = {
        opType: 'Gather',
        input: [rows, index.name ?? ''],
        output: [`${name}/number`],
        attribute: [axis(1)],
      };
      node.push(numbers, ...valueOf(`${name}/number`, name, port, columns[at], initializer));
      at++;
      return name;
    });
    node.push(...joined(parts, port, initializer));
  }
  return { input: [{ name: rows, type: { tensorType } }], node, initializer };
}

function unused(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? unused(`${name}_`, taken) : name;
}

const axis = (i: number): onnx.IAttributeProto => ({ name: 'axis', type: INT, i });

const integers = (name: string, values: readonly number[]): onnx.ITensorProto => ({
  name,
  dims: [values.length],
  dataType: DataType.INT64,
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

/**
 * Builds the nodes that give a column, [N, 1], in the element type of the file's own input.
 *
 * @param initializer receives the constants that the nodes read
 */
function valueOf(
  from: string,
  to: string,
  { elemType }: ColumnPort,
  column: Column | undefined,
  initializer: onnx.ITensorProto[],
): onnx.INodeProto[] {
  if (column?.kind !== 'categorical') return [cast(from, to, elemType)];
  const stringData = column.categories.map((text) => new TextEncoder().encode(text));
  initializer.push(
    { name: `${to}/categories`, dims: [stringData.length], dataType: DataType.STRING, stringData },
    float(`${to}/first`, 0),
    float(`${to}/last`, stringData.length - 1),
  );
  // The Worker refuses any other number. The limits keep the runtime from failing on one all the same.
  return [
    { opType: 'Min', input: [from, `${to}/last`], output: [`${to}/limited`] },
    { opType: 'Max', input: [`${to}/limited`, `${to}/first`], output: [`${to}/within`] },
    cast(`${to}/within`, `${to}/place`, DataType.INT64),
    { opType: 'Gather', input: [`${to}/categories`, `${to}/place`], output: [to], attribute: [axis(0)] },
  ];
}

const float = (name: string, value: number): onnx.ITensorProto => ({
  name,
  dims: [],
  dataType: DataType.FLOAT,
  rawData: new Uint8Array(Float32Array.of(value).buffer),
});

const cast = (from: string, to: string, i: number): onnx.INodeProto => ({
  opType: 'Cast',
  input: [from],
  output: [to],
  attribute: [{ name: 'to', type: INT, i }],
});

/** Builds the nodes that join the columns of one of the file's own inputs. */
function joined(
  parts: readonly string[],
  { input, rank }: ColumnPort,
  initializer: onnx.ITensorProto[],
): onnx.INodeProto[] {
  if (rank === 2) return [{ opType: 'Concat', input: [...parts], output: [input], attribute: [axis(1)] }];
  const flat = integers(`${input}/flat`, [-1]);
  initializer.push(flat);
  return [{ opType: 'Reshape', input: [...parts, flat.name ?? ''], output: [input] }];
}
