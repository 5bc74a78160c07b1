/**
 * Moves additions and multiplications that apply to a product's whole input into the product:
 *
 *     W ((x − μ) / σ) + b  =  (W / σ) x + (b − (μ / σ) Σ W)          in float64
 *
 * Pixels then reach the product as the integers that they are, and no pass over them is needed. Reshapes may lie
 * between.
 */
import { type Node, type OpNode, sizesOf, Value } from '../../graph/index.ts';
import { at, elementCount, present } from '../../arrays/index.ts';
import { broadcast, float32, numbersOf } from '../constant.ts';

/** x · factor + summand */
interface Affine {
  readonly factor: number;
  readonly summand: number;
}

/**
 * The maximum of a summand: a larger one would cost the input's precision, since sums of W x would be larger than the
 * result.
 */
const maxSummand = 4;
/** The limits of a factor: beyond them, weights could leave float32's range. */
const [minFactor, maxFactor] = [2 ** -40, 2 ** 40] as const;

const isWorth = ({ factor, summand }: Affine): boolean =>
  Math.abs(factor) >= minFactor && Math.abs(factor) <= maxFactor && Math.abs(summand) <= maxSummand;

/** @param outputs of the graph, which must not change */
export function withScaledInputs(nodes: readonly Node[], outputs: readonly Value[]): readonly Node[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map(({ name }) => [name, node] as const)));
  const isReadOnce = onceIn(nodes, outputs);
  const replaced = new Map<Node, readonly Node[]>();
  for (const node of nodes) {
    if (node.op !== 'Gemm' || !isWithStored(node)) continue;
    const path = pathTo(node.inputs[0], makers, isReadOnce);
    const affine = path.map(affineOf).reduce<Affine>(after, { factor: 1, summand: 0 });
    const source: Value | undefined = path.at(-1)?.inputs[0];
    if (!source || !isWorth(affine)) continue;
    let from = source;
    for (const step of path.toReversed()) {
      const isKept = affineOf(step) === undefined;
      replaced.set(step, isKept ? [withInput(step, from)] : []);
      if (isKept) from = step.outputs[0];
    }
    replaced.set(node, [withInput(scaled(node, affine), from)]);
  }
  return nodes.flatMap((node) => replaced.get(node) ?? [node]);
}

const isWithStored = ({ inputs: [, B, C], attributes: { transA = 0, alpha = 1, beta = 1 } }: OpNode<'Gemm'>): boolean =>
  B.constant !== undefined && (!C || C.constant !== undefined) && transA === 0 && alpha === 1 && beta === 1;

function onceIn(nodes: readonly Node[], outputs: readonly Value[]): (value: Value) => boolean {
  const readers = new Map<string, number>();
  const values: readonly (Value | undefined)[] = [...nodes.flatMap(({ inputs }) => inputs), ...outputs];
  for (const value of values) if (value) readers.set(value.name, (readers.get(value.name) ?? 0) + 1);
  return ({ name }) => readers.get(name) === 1;
}

/**
 * Walks backwards from a value as long as a node shifts, scales or reshapes its whole input. Returns these nodes up to
 * the last one that does more than reshape.
 */
function pathTo(
  value: Value,
  makers: ReadonlyMap<string, Node>,
  isReadOnce: (value: Value) => boolean,
): readonly Node[] {
  const path: Node[] = [];
  for (let input: Value | undefined = value; input && isReadOnce(input); input = path.at(-1)?.inputs[0]) {
    const node = makers.get(input.name);
    if (!node || !(affineOf(node) || node.op === 'Reshape' || node.op === 'Flatten')) break;
    path.push(node);
  }
  return path.slice(0, path.findLastIndex((node) => affineOf(node) !== undefined) + 1);
}

function affineOf(node: Node): Affine | undefined {
  if (node.op !== 'Add' && node.op !== 'Sub' && node.op !== 'Mul' && node.op !== 'Div') return undefined;
  const [x, { constant }] = node.inputs;
  if (constant?.dtype !== 'float32' || elementCount(constant.shape) !== 1) return undefined;
  if (x.constant || x.shape.length < constant.shape.length) return undefined;
  const number = at(numbersOf(constant), 0);
  return {
    Add: { factor: 1, summand: number },
    Sub: { factor: 1, summand: -number },
    Mul: { factor: number, summand: 0 },
    Div: { factor: 1 / number, summand: 0 },
  }[node.op];
}

/** Composes two affine steps: the result of `step` is the input of `all`. */
const after = (all: Affine, step: Affine | undefined): Affine =>
  step ? { factor: all.factor * step.factor, summand: all.factor * step.summand + all.summand } : all;

const withInput = (node: Node, source: Value): Node =>
  ({ ...node, inputs: [source, ...node.inputs.slice(1)] }) as unknown as Node;

function scaled(node: OpNode<'Gemm'>, { factor, summand }: Affine): Node {
  const [A, B, C] = node.inputs;
  if (!B.constant) throw new Error(`internal: expected ${B.name} to be stored`);
  const weights = numbersOf(B.constant);
  const [first, second] = sizesOf(B.constant, 2);
  const isTransposed = node.attributes.transB === 1;
  const columns = isTransposed ? first : second;
  const bias = C?.constant ? broadcast(C.constant, [columns]) : new Float64Array(columns);
  weights.forEach((weight, i) => {
    const column = isTransposed ? Math.floor(i / second) : i % second;
    bias[column] = present(bias[column]) + summand * weight;
  });
  const stored = (name: string, shape: readonly number[], numbers: Float64Array): Value =>
    new Value(name, float32(shape, numbers), float32(shape, numbers));
  const W = stored(
    `${B.name}/scaled`,
    B.constant.shape,
    weights.map((weight) => weight * factor),
  );
  const b = stored(`${B.name}/shifted`, [columns], bias);
  return { ...node, inputs: [A, W, b] } as unknown as Node;
}
