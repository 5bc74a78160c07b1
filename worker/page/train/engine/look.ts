/**
 * Looks inside a network during training: computes one mini-batch's forward pass and gradients with the current
 * tensors, by the same graph as the training step's but without an update.
 */
import { gradients } from '../../../../training/autodiff/index.ts';
import { type Graph, graphBuilder, type GraphBuilder, type Value } from '../../../../training/graph/index.ts';
import { emitForward, type Plan, type PlannedLayer, tensorsOf } from '../../../../training/network/index.ts';
import { emitMeanLoss, multiclass } from '../../../../training/objective/index.ts';
import { openGraph, type Program } from './program.ts';

/** A hidden layer: its product, and the Batch Norm layer after it if there is one. */
export interface Hidden {
  readonly product: PlannedLayer;
  readonly norm: PlannedLayer | undefined;
}

/** Returns all layers with a product except the last, which gives the answer. */
export function hiddenOf({ layers }: Plan): readonly Hidden[] {
  const products = layers.filter(({ layer }) => layer.kind === 'dense').slice(0, -1);
  return products.map((product) => {
    const next = layers[layers.indexOf(product) + 1];
    return { product, norm: next?.layer.kind === 'batchNorm' ? next : undefined };
  });
}

export const names = {
  z: (layer: number): string => `z ${layer}`,
  after: (layer: number): string => `after ${layer}`,
  mean: (layer: number): string => `mean ${layer}`,
  variance: (layer: number): string => `variance ${layer}`,
  dWeight: (layer: number): string => `d weight ${layer}`,
  dGamma: (layer: number): string => `d gamma ${layer}`,
  dBeta: (layer: number): string => `d beta ${layer}`,
  dz: (layer: number): string => `d z ${layer}`,
  dAfter: (layer: number): string => `d after ${layer}`,
} as const;

/**
 * Compiles the graph of the look. It takes `x`, `labels` and the network's tensors, and gives `logits` and, for each
 * hidden layer, the values in `names`.
 */
export const openLook = (plan: Plan, batchSize: number): Program => openGraph(lookGraph(plan, batchSize));

function lookGraph(plan: Plan, batchSize: number): Graph {
  const g = graphBuilder();
  const { x, tensors } = declare(g, plan, batchSize);
  const labels = g.input('labels', { dtype: 'int32', shape: [batchSize] });
  const { output, batchStatistics } = emitForward(g, plan, x, { mode: 'batchStatistics', tensors });
  const loss = emitMeanLoss(g, multiclass(), output, labels);
  const of = (name: string): Value => tensors.get(name) ?? missing(name);
  const observed = hiddenOf(plan).flatMap(({ product, norm }, i): readonly Observed[] => {
    const z = outputOf(g, `${product.name}/Gemm`);
    const weight = { name: names.dWeight(i), of: of(`${product.name}.weight`) };
    const statistics = norm && batchStatistics.get(norm.name);
    if (!norm || !statistics) return [{ name: names.z(i), is: z }, weight];
    const after = outputOf(g, `${norm.name}/BatchNormalization`);
    return [
      { name: names.z(i), is: z },
      { name: names.after(i), is: after },
      { name: names.mean(i), is: statistics.mean },
      { name: names.variance(i), is: statistics.variance },
      weight,
      { name: names.dGamma(i), of: of(`${norm.name}.weight`) },
      { name: names.dBeta(i), of: of(`${norm.name}.bias`) },
      { name: names.dz(i), of: z },
      { name: names.dAfter(i), of: after },
    ];
  });
  const differentiated = observed.flatMap((each) => ('of' in each ? [each] : []));
  const derivatives = gradients(
    g,
    loss,
    differentiated.map(({ of }) => of),
  );
  return g.build('look', {
    logits: output,
    ...Object.fromEntries(observed.flatMap((each) => ('is' in each ? [[each.name, each.is]] : []))),
    ...Object.fromEntries(differentiated.map(({ name }, i) => [name, derivatives[i] ?? missing(name)])),
  });
}

/** A value to be output, or a value by which the loss is differentiated. */
type Observed = { readonly name: string; readonly is: Value } | { readonly name: string; readonly of: Value };

/**
 * Compiles inference by the running statistics. It takes `x [count, ..]` and the network's tensors, and gives `logits`.
 */
export function openAnswers(plan: Plan, count: number): Program {
  const g = graphBuilder();
  const { x, tensors } = declare(g, plan, count);
  const { output } = emitForward(g, plan, x, { mode: 'inference', tensors });
  return openGraph(g.build('answers', { logits: output }));
}

function declare(g: GraphBuilder, plan: Plan, count: number) {
  const x = g.input('x', { dtype: 'float32', shape: [count, ...plan.network.inputShape] });
  const tensors = tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
  return { x, tensors: new Map(tensors) };
}

function outputOf(g: GraphBuilder, name: string): Value {
  const node = g.nodes.find((candidate) => candidate.name === name);
  return node?.outputs[0] ?? missing(name);
}

function missing(name: string): never {
  throw new Error(`internal: the graph has no ${name}`);
}
