/**
 * What the numbers of a model's answer are, found in its graph: whoever classifies with it has to know whether they are
 * probabilities already. A card that says it comes first.
 */
import type { onnx } from '../../training/graph/index.ts';
import type { OutputKind } from '../../training/objective/index.ts';
import { type Port, type Ports } from './ports.ts';

export interface ModelOutput {
  readonly name: string;
  readonly kind: OutputKind;
}

export interface InferredOutput extends ModelOutput {
  /** Whether nothing but the shape speaks for the kind. */
  readonly isGuess: boolean;
}

/** @returns `undefined` for a model that answers whole numbers alone */
export function outputOf(graph: onnx.IGraphProto, { outputs }: Pick<Ports, 'outputs'>): InferredOutput | undefined {
  const floats = outputs.filter(({ datatype }) => datatype.startsWith('FP'));
  // Attention weights come out of a softmax, too.
  for (const port of floats.filter(mayBeAnswer)) {
    const kind = kindByOp(port.name, graph) ?? kindByName(port.name);
    if (kind) return { name: port.name, kind, isGuess: false };
  }
  const classes = floats.find(hasClasses);
  const [port] = classes ? [classes] : floats;
  if (!port) return undefined;
  const kind = classes && !choosesSmallest(graph) ? 'logits' : 'number';
  return { name: port.name, kind, isGuess: true };
}

/** `[N]`, `[N, K]`, or a shape that the file does not say. */
const mayBeAnswer = ({ dims }: Port): boolean => dims === undefined || (dims.length > 0 && dims.length <= 2);

/** `[N, K]` with more than one number for each sample. */
const hasClasses = ({ dims = [] }: Port): boolean => dims.length === 2 && typeof dims[1] === 'number' && dims[1] > 1;

/** Operators behind which numbers are the same ones. */
const passing: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Dropout',
  'QuantizeLinear',
  'DequantizeLinear',
]);

/** An exporter leaves a few; a graph that runs in a circle is followed no further. */
const LONGEST_CHAIN = 20;

/** A few values are looked up: a table of all would take more memory than a crafted graph itself. */
function sourceOf({ node = [] }: onnx.IGraphProto, value: string) {
  const source = node?.findLast(({ output }) => output?.includes(value));
  return source && { node: source, output: source.output?.indexOf(value) ?? -1 };
}

function kindByOp(name: string, graph: onnx.IGraphProto): OutputKind | undefined {
  let value = name;
  for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
    const source = sourceOf(graph, value);
    if (!source) return undefined;
    const { node, output } = source;
    if (!passing.has(node.opType ?? '')) return kindOf[node.opType ?? '']?.(node, output);
    value = node.input?.[0] ?? '';
  }
  return undefined;
}

type KindOf = (node: onnx.INodeProto, output: number) => OutputKind | undefined;

const kindOf: Readonly<Record<string, KindOf | undefined>> = {
  Softmax: () => 'probabilities',
  Sigmoid: () => 'probabilities',
  HardSigmoid: () => 'probabilities',
  // Their softmax is what they are the logarithms of.
  LogSoftmax: () => 'logits',
  // Shares of a sum.
  Normalizer: (node) => (textOf(node, 'norm') === 'L1' ? 'probabilities' : undefined),
  LpNormalization: (node) => (intOf(node, 'p') === 1 ? 'probabilities' : undefined),
  // Trees vote, or their sum goes through the transformation.
  TreeEnsembleClassifier: (_node, output) => (output === 1 ? 'probabilities' : undefined),
  LinearClassifier: (node, output) => (output === 1 ? afterTransform(node) : undefined),
  SVMClassifier: (node, output) => (output === 1 && !has(node, 'prob_a') ? afterTransform(node) : undefined),
};

const afterTransform = (node: onnx.INodeProto): OutputKind =>
  (textOf(node, 'post_transform') ?? 'NONE') === 'NONE' ? 'logits' : 'probabilities';

const attributeOf = ({ attribute }: onnx.INodeProto, name: string): onnx.IAttributeProto | undefined =>
  attribute?.find((candidate) => candidate.name === name);

const has = (node: onnx.INodeProto, name: string): boolean => attributeOf(node, name) !== undefined;

const intOf = (node: onnx.INodeProto, name: string): number => Number(attributeOf(node, name)?.i);

function textOf(node: onnx.INodeProto, name: string): string | undefined {
  const text = attributeOf(node, name)?.s;
  return text ? new TextDecoder().decode(text) : undefined;
}

function kindByName(name: string): OutputKind | undefined {
  if (/prob|softmax|confidence/i.test(name)) return 'probabilities';
  return /logit/i.test(name) ? 'logits' : undefined;
}

/** Of distances, to the centres of clusters say, the smallest decides: they are no logits. */
const choosesSmallest = ({ node }: onnx.IGraphProto): boolean => (node ?? []).some(({ opType }) => opType === 'ArgMin');

/** The names of the classes, where a classifier has them: scikit-learn's operators do. */
export function labelsOf(graph: onnx.IGraphProto): readonly string[] | undefined {
  for (const node of graph.node ?? []) {
    const names = attributeOf(node, 'classlabels_strings')?.strings ?? [];
    if (names.length > 0) return names.map((name) => new TextDecoder().decode(name));
  }
  return undefined;
}
