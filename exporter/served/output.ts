/**
 * Finds out from a model's graph what the numbers of its answer are: a client that classifies with it has to know
 * whether they are probabilities already. A card that states it takes precedence.
 */
import type { onnx } from '../../training/graph/index.ts';
import { outputKinds } from '../../training/objective/index.ts';
import { attributeOf } from './constants.ts';
import { type Port, type Ports } from './ports.ts';

/**
 * Beside the kinds of this project's outputs, a file from elsewhere may choose the class itself, and give its number.
 */
export const servedKinds = [...outputKinds, 'class'] as const;

export type ServedKind = (typeof servedKinds)[number];

export interface ModelOutput {
  readonly name: string;
  readonly kind: ServedKind;
}

export interface InferredOutput extends ModelOutput {
  /** `isGuess` is true if nothing but the shape speaks for the kind. */
  readonly isGuess: boolean;
}

/**
 * Finds the output that is the answer. Outputs that are certain to be scores come first, then a class that the model
 * has chosen: the numbers beside it may be anything, for example distances.
 *
 * @param labels number of the classes that are named: the output has as many numbers
 * @returns `undefined` for a model that answers with whole numbers only, if nothing shows that they are classes
 */
export function outputOf(
  graph: onnx.IGraphProto,
  { outputs }: Pick<Ports, 'outputs'>,
  labels?: number,
): InferredOutput | undefined {
  const all = outputs.filter(({ datatype }) => datatype.startsWith('FP'));
  const fitting = labels === undefined ? [] : all.filter((port) => isOf(labels, port));
  const floats = fitting.length > 0 ? fitting : all;
  // Attention weights are outputs of a softmax, too.
  for (const port of floats.filter(mayBeAnswer)) {
    const kind = kindByOp(port.name, graph) ?? kindByName(port.name);
    if (kind) return { name: port.name, kind, isGuess: false };
  }
  const [only, another] = fitting;
  if (only && !another && isSum(only.name, graph)) return { name: only.name, kind: 'logits', isGuess: false };
  const chosen = outputs.find((port) => isClass(port, graph));
  if (chosen) return { name: chosen.name, kind: 'class', isGuess: false };
  const scores = floats.filter(hasClasses);
  const classes = scores.find(({ name }) => /score/i.test(name)) ?? scores[0];
  const [port] = classes ? [classes] : floats;
  return port && { name: port.name, kind: classes ? 'logits' : 'number', isGuess: true };
}

/** Is true for one number per class; for two classes, a single number suffices. */
const isOf = (classes: number, { dims }: Port): boolean =>
  dims?.length === 2 ? dims[1] === classes || (classes === 2 && dims[1] === 1) : classes === 2 && dims?.length === 1;

/** Is true for `[N]`, `[N, K]`, or a shape that the file does not state. */
const mayBeAnswer = ({ dims }: Port): boolean => dims === undefined || (dims.length > 0 && dims.length <= 2);

/** Is true for `[N, K]` with more than one number for each sample. */
const hasClasses = ({ dims = [] }: Port): boolean => dims.length === 2 && typeof dims[1] === 'number' && dims[1] > 1;

/** Operators that keep the numbers as they are. */
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

/** Exporters leave a few such operators; a graph that runs in a circle is followed no further. */
const LONGEST_CHAIN = 20;

/**
 * Finds the node that computes a value. Only few are looked up: a table of all would take more memory than a crafted
 * graph itself.
 */
function sourceOf({ node = [] }: onnx.IGraphProto, value: string) {
  const source = node?.findLast(({ output }) => output?.includes(value));
  return source && { node: source, output: source.output?.indexOf(value) ?? -1 };
}

/** Finds the node that computes an output, before operators that keep the numbers. */
function originOf(name: string, graph: onnx.IGraphProto): ReturnType<typeof sourceOf> {
  let value = name;
  for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
    const source = sourceOf(graph, value);
    if (!source || !passing.has(source.node.opType ?? '')) return source;
    value = source.node.input?.[0] ?? '';
  }
  return undefined;
}

function kindByOp(name: string, graph: onnx.IGraphProto): ServedKind | undefined {
  const origin = originOf(name, graph);
  return origin && kindOf[origin.node.opType ?? '']?.(origin.node, origin.output);
}

/** Is true for the result of a network's last layer: if classes are named, these are their logits. */
const isSum = (name: string, graph: onnx.IGraphProto): boolean =>
  /^(Gemm|MatMul|Add|Sum|Conv|BatchNormalization|QLinear(MatMul|Add|Conv)|QGemm)$/.test(
    originOf(name, graph)?.node.opType ?? '',
  );

/**
 * Is true for whole numbers, one for each sample, that are called classes or are the index of the largest or the
 * smallest number.
 */
function isClass({ name, datatype, dims }: Port, graph: onnx.IGraphProto): boolean {
  const isOne = dims?.length === 1 || (dims?.length === 2 && dims[1] === 1);
  if (!isOne || !/INT/.test(datatype)) return false;
  const origin = originOf(name, graph)?.node.opType ?? '';
  return /label|class|cluster/i.test(name) || /^Arg(Max|Min)$|Classifier$/.test(origin);
}

type KindOf = (node: onnx.INodeProto, output: number) => ServedKind | undefined;

const kindOf: Readonly<Record<string, KindOf | undefined>> = {
  Softmax: () => 'probabilities',
  Sigmoid: () => 'probabilities',
  HardSigmoid: () => 'probabilities',
  // The softmax of log-probabilities gives the probabilities.
  LogSoftmax: () => 'logits',
  // These are shares of a sum.
  Normalizer: (node) => (textOf(node, 'norm') === 'L1' ? 'probabilities' : undefined),
  LpNormalization: (node) => (intOf(node, 'p') === 1 ? 'probabilities' : undefined),
  // Trees vote, or their sum goes through the transformation.
  TreeEnsembleClassifier: (_node, output) => (output === 1 ? 'probabilities' : undefined),
  LinearClassifier: (node, output) => (output === 1 ? afterTransform(node) : undefined),
  SVMClassifier: (node, output) => (output === 1 && !has(node, 'prob_a') ? afterTransform(node) : undefined),
};

const afterTransform = (node: onnx.INodeProto): ServedKind =>
  (textOf(node, 'post_transform') ?? 'NONE') === 'NONE' ? 'logits' : 'probabilities';

const has = (node: onnx.INodeProto, name: string): boolean => attributeOf(node, name) !== undefined;

const intOf = (node: onnx.INodeProto, name: string): number => Number(attributeOf(node, name)?.i);

function textOf(node: onnx.INodeProto, name: string): string | undefined {
  const text = attributeOf(node, name)?.s;
  return text ? new TextDecoder().decode(text) : undefined;
}

function kindByName(name: string): ServedKind | undefined {
  if (/prob|softmax|confidence/i.test(name)) return 'probabilities';
  return /logit/i.test(name) ? 'logits' : undefined;
}

/**
 * Returns the names of the classes, if a classifier has them: scikit-learn's operators do, and also use whole numbers
 * as names. Numbers that count from 0 are not names.
 */
export function labelsOf(graph: onnx.IGraphProto): readonly string[] | undefined {
  for (const node of graph.node ?? []) {
    const names = attributeOf(node, 'classlabels_strings')?.strings ?? [];
    if (names.length > 0) return names.map((name) => new TextDecoder().decode(name));
    const numbers = (attributeOf(node, 'classlabels_int64s') ?? attributeOf(node, 'classlabels_ints'))?.ints ?? [];
    if (numbers.some((number, i) => Number(number) !== i)) return numbers.map(String);
  }
  return undefined;
}
