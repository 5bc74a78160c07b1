/**
 * Exports a trained network as a standard ONNX file that takes the columns of a table as they are, one named input
 * each, so that any ONNX Runtime scores raw rows: preparation, network, temperature, threshold and the names of the
 * classes are in the file. It needs operators for texts, and so opset 20 (ONNX Runtime 1.17 or newer); the Worker takes
 * a file without them.
 */
import type { Column } from '../../training/columns/index.ts';
import type { Threshold } from '../../training/answers/index.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import type { TrainedModel } from '../../training/checkpoint/index.ts';
import { unexpected, writeAtomically } from '../../training/files/index.ts';
import { encodeModel, encodeProto, type onnx, onnxProto } from '../../training/graph/index.ts';
import { type ExportSource, fittedModel } from '../model/fitted-model.ts';
import { exportGraph, outputKindOf, outputNameOf } from '../model/inference-graph.ts';
import { addEntrance } from './entrance.ts';
import { attribute, elementTypes, mlDomain, type Name, nodeList, type Nodes } from './nodes.ts';
import { compareRows, type RowsCompared } from './verify.ts';

/** The versions that have the operators for texts, and LabelEncoder; IR version 9 belongs to opset 20. */
const [OPSET, ML_OPSET, IR_VERSION] = [20, 3, 9];

export interface ColumnsExport {
  readonly columns: readonly Column[];
  readonly outputs: readonly string[];
  readonly bytes: number;
  readonly verification: RowsCompared;
}

/**
 * Writes the file, after it has answered made-up rows as the network does. It answers as an export of the same run to
 * the Worker would.
 *
 * @param note receives remarks on anything unusual
 * @param onStage receives the name of each stage
 * @throws UserError for a checkpoint whose inputs are not columns of a table, for data that cannot be read, and if an
 *   answer differs
 */
export async function exportColumns(
  source: ExportSource,
  file: string,
  note: (line: string) => void = () => undefined,
  onStage: (stage: string) => void = () => undefined,
): Promise<ColumnsExport> {
  const { model, fit } = await fittedModel(source, {}, await nativeBackend(), note, onStage);
  const { columns } = model;
  if (!columns)
    throw unexpected('--inputs columns', 'a model of a table', `${source.checkpoint}, whose inputs have no names`);
  onStage('hold the file against the network');
  const plain = encodeModel(exportGraph(model, 'running', fit.temperature));
  const { bytes, outputs } = withColumns(plain, model, columns, fit.threshold);
  const verification = await compareRows(plain, { bytes, answer: outputs.at(-1) ?? '' }, model, columns);
  await writeAtomically(file, bytes);
  return { columns, outputs, bytes: bytes.length, verification };
}

interface ColumnsFile {
  readonly bytes: Uint8Array;
  /** The last output has the numbers. */
  readonly outputs: readonly string[];
}

function withColumns(
  plain: Uint8Array,
  model: TrainedModel,
  columns: readonly Column[],
  threshold: Threshold | undefined,
): ColumnsFile {
  const { producerName, metadataProps, graph } = onnxProto.onnx.ModelProto.decode(plain);
  const { apart, prefix } = namesBeside(columns);
  const g = nodeList(prefix('columns'));
  const { inputs, features, isWrong } = addEntrance(g, columns);
  const [given, answer] = [outputNameOf(model), `${prefix('network')}/answer`];
  const renamed = new Map([
    [graph?.input?.[0]?.name ?? '', features],
    [given, answer],
  ]);
  const rename = (names: readonly string[] | null | undefined) =>
    (names ?? []).map((name) => renamed.get(name) ?? apart(name));
  const network = graph?.node ?? [];
  for (const node of network) {
    node.input = rename(node.input);
    node.output = rename(node.output);
  }
  const stored = (graph?.initializer ?? []).map((tensor) => ({ ...tensor, name: apart(tensor.name ?? '') }));
  const own = g.graph();
  const end = nodeList(prefix('answer'));
  const outputs = addAnswer(end, { answer, isWrong }, model, threshold, apart);
  const last = end.graph();
  const bytes = encodeProto({
    producerName,
    metadataProps,
    irVersion: IR_VERSION,
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: mlDomain, version: ML_OPSET },
    ],
    graph: {
      name: graph?.name ?? '',
      input: [...inputs],
      output: [...outputs],
      initializer: [...stored, ...own.initializer, ...last.initializer],
      node: [...own.node, ...network, ...last.node],
    },
  });
  return { bytes, outputs: outputs.map(({ name }) => name ?? '') };
}

/** Returns functions that make names which no column has: a table may call its columns anything. */
function namesBeside(columns: readonly Column[]) {
  const taken = new Set(columns.map(({ name }) => name));
  const apart = (name: Name): Name => (taken.has(name) ? apart(`${name}_`) : name);
  const prefix = (start: string): string =>
    columns.some(({ name }) => name.startsWith(`${start}/`)) ? prefix(`${start}_`) : start;
  return { apart, prefix };
}

interface Rows {
  readonly answer: Name;
  /** Is undefined if every row fits. */
  readonly isWrong: Name | undefined;
}

/**
 * Adds the outputs. A row that does not fit gets NaN for each number, and no label.
 *
 * @param apart makes a name that no column has
 */
function addAnswer(
  g: Nodes,
  { answer, isWrong }: Rows,
  model: TrainedModel,
  threshold: Threshold | undefined,
  apart: (name: Name) => Name,
): onnx.IValueInfoProto[] {
  const hidden = (value: Name): Name =>
    isWrong === undefined ? value : g.add('Where', [isWrong, g.constant('float', NaN), value]);
  const kind = outputKindOf(model);
  if (kind === 'number') {
    const output = g.named(apart('prediction'), hidden(answer));
    return [info(output, elementTypes.float, [1])];
  }
  const shares = kind === 'logits' ? g.add('Softmax', [answer], [attribute.int('axis', 1)]) : answer;
  const probabilities = g.named(apart('probabilities'), hidden(shares));
  const { classes } = model;
  const outputs = [info(probabilities, elementTypes.float, [classes.length])];
  if (kind === 'multi-label') return outputs;
  const best = threshold
    ? addThreshold(g, shares, threshold)
    : g.add('ArgMax', [answer], [attribute.int('axis', 1), attribute.int('keepdims', 1)]);
  const nobody = g.constant('int64', -1);
  const index = isWrong === undefined ? best : g.add('Where', [isWrong, nobody, best]);
  const label = g.add(
    'LabelEncoder',
    [index],
    [
      attribute.ints('keys_int64s', [...classes.keys()]),
      attribute.texts('values_strings', classes),
      attribute.text('default_string', ''),
    ],
  );
  return [info(g.named(apart('label'), label), elementTypes.string, [1]), ...outputs];
}

/**
 * Returns the index of the class given of two, `[N, 1]`: the threshold's class, if its probability is at least `at`.
 */
function addThreshold(g: Nodes, shares: Name, { class: positive, at }: Threshold): Name {
  const share = g.add('Gather', [shares, g.constant('int64', [positive])], [attribute.int('axis', 1)]);
  const isTold = g.add('GreaterOrEqual', [g.cast(share, 'double'), g.constant('double', at)]);
  return g.add('Where', [isTold, g.constant('int64', positive), g.constant('int64', 1 - positive)]);
}

const info = (name: Name, elemType: number, shape: readonly number[]): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType, shape: { dim: [{ dimParam: 'N' }, ...shape.map((dimValue) => ({ dimValue }))] } } },
});
