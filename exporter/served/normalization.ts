/**
 * Makes the file that is served: it normalizes with running statistics, unless the card says that the mini-batch's own
 * are meant.
 */
import { count, quote } from '../../training/files/index.ts';
import { encodeGraphProto, GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';
import { type BatchNorm, type OfBatch, trainingModeOpset } from './find-batch-norm.ts';
import { changeNodes } from './change-graph.ts';
import { opsetOf } from './onnx-file.ts';
import type { Pieces } from './splice.ts';
import { ownCopy } from './switchable.ts';

/** The values of a card for layers that normalize with the mini-batch's statistics in the file. */
export const batchNormUses = ['inference', 'as-is'] as const;

/** `inference` uses the running statistics that the file has, `as-is` keeps the file as it is. */
export type BatchNormUse = (typeof batchNormUses)[number];

const { AttributeProto } = onnxProto.onnx;
const { INT } = AttributeProto.AttributeType;
const { BOOL }: Readonly<Record<'BOOL', number>> = onnxProto.onnx.TensorProto.DataType;

/**
 * @returns `bytes` itself if no change is needed
 * @throws GraphError if layers normalize with the mini-batch's statistics and `use` does not settle it
 */
export function normalizing(
  bytes: Uint8Array,
  model: onnx.IModelProto,
  { ofBatch }: BatchNorm,
  use: BatchNormUse | undefined,
): Uint8Array {
  if (ofBatch.length === 0) return bytes;
  if (use === undefined) throw new GraphError(refusal(ofBatch));
  const graph = model.graph ?? {};
  const change = use === 'inference' ? inInference(model, ofBatch) : asIs(model, ofBatch);
  const byNode = new Map(ofBatch.flatMap((layer) => (layer.node ? [[layer.node, layer] as const] : [])));
  return changeNodes(
    bytes,
    graph,
    (node): Pieces | undefined => {
      const changed = byNode.has(node) ? change(node) : undefined;
      return changed && [encodeGraphProto({ node: [...changed] })];
    },
    new Uint8Array(),
  );
}

/** Returns a single line that is never cut off, with the remedy at its end. */
function refusal(layers: readonly OfBatch[]): string {
  const ways = layers.every(({ hasRunning }) => hasRunning)
    ? 'export in evaluation mode, or set "batchNorm" in card.json (add: --batch-norm) to "inference" (the file\'s running statistics) or "as-is"'
    : 'export with running statistics, or set "batchNorm" in card.json (add: --batch-norm) to "as-is"';
  return `expected Batch Norm with running statistics, got the mini-batch's in ${namesOf(layers)}; ${ways}`;
}

/** Lists the first few names, since a network may have hundreds of layers. */
export function namesOf(layers: readonly Pick<OfBatch, 'name' | 'why'>[]): string {
  const [first = '', ...others] = layers.map(({ name }) => name);
  const shown = [first.slice(0, LONGEST_NAMES)];
  for (const name of others) {
    if (`${shown.join(', ')}, ${name}`.length > LONGEST_NAMES) break;
    shown.push(name);
  }
  const more = layers.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''} (${layers[0]?.why ?? ''})`;
}

const LONGEST_NAMES = 40;

type Change = (node: onnx.INodeProto) => readonly onnx.INodeProto[] | undefined;

/**
 * @throws GraphError if the file has no running statistics of a layer, or its answers use values that exist only in
 *   training
 */
function inInference(model: onnx.IModelProto, layers: readonly OfBatch[]): Change {
  const without = layers.filter(({ hasRunning }) => !hasRunning);
  if (without.length > 0) {
    throw new GraphError(
      `"batchNorm": expected "as-is", got "inference": the file has no running statistics for ${namesOf(without)}`,
    );
  }
  const used = usedIn(model.graph ?? {});
  return (node) => {
    const [output = '', mean = '', variance = '', ...saved] = node.output ?? [];
    const ofBatch = saved.find((name) => used.has(name));
    if (ofBatch !== undefined) {
      throw new GraphError(
        `"batchNorm": expected "as-is", got "inference": the mini-batch's ${quote(ofBatch)} is used`,
      );
    }
    const attribute = (node.attribute ?? []).filter(({ name }) => name !== 'training_mode');
    // At inference, the running statistics do not change.
    const updated = [mean, variance].flatMap((name, i) =>
      name === '' ? [] : [{ opType: 'Identity', input: [node.input?.[3 + i] ?? ''], output: [name] }],
    );
    return [{ ...node, attribute, output: [output] }, ...updated];
  };
}

function usedIn({ node, output }: onnx.IGraphProto): ReadonlySet<string> {
  return new Set([
    ...(node ?? []).flatMap(({ input }) => input ?? []),
    ...(output ?? []).map(({ name }) => name ?? ''),
  ]);
}

/** Gives each node in training mode its own copy of the running statistics, which it may overwrite. */
function asIs(model: onnx.IModelProto, layers: readonly OfBatch[]): Change {
  const fixed = layers.find(({ node, why }) => !node && !why.startsWith('mean and variance'));
  if (fixed) {
    throw new GraphError(
      `"batchNorm": expected a network in evaluation mode, got "as-is": ${fixed.name} (${fixed.why}) would change what is stored`,
    );
  }
  const isTraining = new Set(layers.filter(({ hasRunning }) => hasRunning).map(({ node }) => node));
  const opset = opsetOf(model);
  return (node) => (isTraining.has(node) ? withOwnCopies(node, opset) : undefined);
}

/**
 * Makes the copies depend on the samples, so that no optimizer can compute them before a request. The condition is
 * whether the largest number is not 0; both of its branches give the copy.
 */
function withOwnCopies(node: onnx.INodeProto, opset: number): readonly onnx.INodeProto[] {
  const [output = ''] = node.output ?? [];
  const name = (suffix: string): string => `${output}/${suffix}`;
  const [z = '', scale = '', B = '', mean = '', variance = ''] = node.input ?? [];
  const outputs = node.output ?? [];
  return [
    { opType: 'ReduceMax', input: [z], output: [name('largest')], attribute: [{ name: 'keepdims', type: INT, i: 0 }] },
    {
      opType: 'Cast',
      input: [name('largest')],
      output: [name('any')],
      attribute: [{ name: 'to', type: INT, i: BOOL }],
    },
    ownCopy(name('any'), mean, name('mean')),
    ownCopy(name('any'), variance, name('var')),
    {
      ...node,
      input: [z, scale, B, name('mean'), name('var')],
      output: opset < trainingModeOpset ? outputs : outputs.slice(0, 3),
    },
  ];
}
