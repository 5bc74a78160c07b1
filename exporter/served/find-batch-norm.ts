/**
 * Finds out what the Batch Norm of an ONNX file normalizes with. Only running statistics that are stored, or computed
 * from stored numbers, make an answer independent of the other samples of its request. A file may also normalize with
 * those of the mini-batch: by `training_mode`, by the further outputs that the operator had before it, or with a mean
 * and a variance that its graph computes from the samples.
 */
import { shortestFloat } from '../../training/files/index.ts';
import type { onnx } from '../../training/graph/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { attributeOf, type Constant, type Constants, constantsOf } from './constants.ts';
import { opsetOf } from './onnx-file.ts';
import { bodiesOf, dependents, functionKey, isOwnDomain, type Names, readsOf } from './dependents.ts';

/**
 * A layer that cannot be shown: its parameters are not stored, or it does not have one value of each for each channel.
 */
export interface Undescribed {
  readonly name: string;
  readonly why: string;
}

/** A layer that normalizes with the mini-batch's own statistics. */
export interface OfBatch {
  readonly name: string;
  readonly why: string;
  /** Is true if the file has running statistics of the layer, and its node can be changed to use them. */
  readonly hasRunning: boolean;
  /** The layer's node, if it is in the main graph, whose nodes can be changed. */
  readonly node?: onnx.INodeProto;
}

export interface BatchNorm {
  /** The layers with running statistics, in the order of the graph. */
  readonly layers: readonly BatchNormLayer[];
  readonly ofBatch: readonly OfBatch[];
  readonly undescribed: readonly Undescribed[];
}

/** The maximum in all layers together, which may share one stored tensor; ResNet-152 has 300,000. */
const MAX_PARAMETERS = 2 ** 20;
const MAX_LAYERS = 2 ** 12;
/** The maximum number of nodes visited in functions and branches, counted as often as they are used. */
const MAX_NODES = 2 ** 17;

/**
 * The version of the operator set from which on `training_mode` is an attribute; before, further outputs stand for it.
 */
export const trainingModeOpset = 14;
/** The version of the operator set from which on no layer has one value for each place instead of each channel. */
const spatialOpset = 9;

export function batchNormOf(model: onnx.IModelProto): BatchNorm {
  const found: Findings = { layers: [], ofBatch: [], undescribed: [], parameters: 0, nodes: 0, count: 0 };
  const graph = model.graph ?? {};
  const inputs = namesOf(graph.input);
  for (const { name } of graph.initializer ?? []) inputs.delete(name ?? '');
  const scope = { samples: dependents(graph.node ?? [], inputs), constant: constantsOf(graph) };
  const main = {
    opset: opsetOf(model),
    where: undefined,
    attributes: new Map(),
    functions: functionsOf(model),
    calls: [],
  };
  visit(graph.node ?? [], { ...scope, ...main }, found);
  const { layers, ofBatch, undescribed, parameters, count } = found;
  if (parameters <= MAX_PARAMETERS && count <= MAX_LAYERS) return { layers, ofBatch, undescribed };
  const why = 'they have more parameters than are looked at';
  return { layers: [], ofBatch, undescribed: [{ name: `${count} layers`, why }] };
}

const namesOf = (values: readonly onnx.IValueInfoProto[] | null | undefined): Set<string> =>
  new Set((values ?? []).map(({ name }) => name ?? ''));

type Functions = ReadonlyMap<string, onnx.IFunctionProto>;

const functionsOf = ({ functions }: onnx.IModelProto): Functions =>
  new Map((functions ?? []).map((definition) => [functionKey(definition.domain, definition.name), definition]));

interface Findings {
  readonly layers: BatchNormLayer[];
  readonly ofBatch: OfBatch[];
  readonly undescribed: Undescribed[];
  /** Counts the parameters of all layers that could be described. */
  parameters: number;
  count: number;
  /** Counts the nodes visited in functions and branches. */
  nodes: number;
}

/** A graph, a branch of it, or the body of a function as it is called. */
interface Scope {
  /** The values that depend on the request. */
  readonly samples: Names;
  readonly constant: Constants;
  readonly opset: number;
  /** Names the branch or function; undefined for the main graph. */
  readonly where: string | undefined;
  /** The attributes of the call, which the nodes of a function may refer to. */
  readonly attributes: ReadonlyMap<string, onnx.IAttributeProto>;
  readonly functions: Functions;
  /**
   * The functions around this scope. They stop a function that calls itself, which the runtime refuses, from being
   * followed forever.
   */
  readonly calls: readonly onnx.IFunctionProto[];
}

function visit(nodes: readonly onnx.INodeProto[], scope: Scope, found: Findings): void {
  for (const node of nodes) {
    if (scope.where !== undefined && found.nodes++ > MAX_NODES) return;
    if (node.opType === 'BatchNormalization' && isOwnDomain(node.domain)) visitLayer(node, scope, found);
    for (const body of bodiesOf(node)) visitBody(node, body, scope, found);
    const definition =
      scope.functions.size > 0 ? scope.functions.get(functionKey(node.domain, node.opType)) : undefined;
    if (definition && !scope.calls.includes(definition)) visitCall(node, definition, scope, found);
  }
}

function visitBody(node: onnx.INodeProto, body: onnx.IGraphProto, outer: Scope, found: Findings): void {
  const own = new Set([...namesOf(body.input), ...(body.node ?? []).flatMap(({ output }) => output ?? [])]);
  // If any input of a loop depends on the samples, so does everything that the loop carries.
  const carried = (node.input ?? []).some((name) => outer.samples.has(name)) ? namesOf(body.input) : [];
  const seen = readsOf({ attribute: [{ g: body }] }).filter((name) => outer.samples.has(name) && !own.has(name));
  const samples = dependents(body.node ?? [], new Set([...carried, ...seen]));
  const where = outer.where ?? `a branch of ${node.opType ?? ''}`;
  visit(body.node ?? [], { ...outer, samples, constant: constantsOf(body, outer.constant), where }, found);
}

function visitCall(call: onnx.INodeProto, definition: onnx.IFunctionProto, outer: Scope, found: Findings): void {
  const inputs = (definition.input ?? []).filter((_, i) => outer.samples.has(call.input?.[i] ?? ''));
  const node = definition.node ?? [];
  const actual = new Map((definition.input ?? []).map((name, i) => [name, call.input?.[i] ?? '']));
  const scope: Scope = {
    ...outer,
    samples: dependents(node, new Set(inputs)),
    constant: constantsOf({ node }, (name) => outer.constant(actual.get(name) ?? '')),
    opset: opsetOf(definition) || outer.opset,
    where: outer.where ?? `the function ${definition.name ?? ''}`,
    attributes: new Map((call.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute])),
    calls: [...outer.calls, definition],
  };
  if (found.nodes++ <= MAX_NODES) visit(node, scope, found);
}

function visitLayer(node: onnx.INodeProto, scope: Scope, found: Findings): void {
  // A layer that normalizes weights is constant, whichever statistics it uses: standardized convolutions are exported
  // so.
  if (!scope.samples.has(node.input?.[0] ?? '')) return;
  const name = layerName(node.name || (node.output?.[0] ?? ''));
  const where = scope.where === undefined ? '' : ` in ${scope.where}`;
  const computed = (node.input ?? []).slice(3, 5).some((value) => scope.samples.has(value));
  const why = computed
    ? 'mean and variance computed from the samples'
    : isTraining(node, scope)
      ? trainingBy(scope)
      : undefined;
  if (why !== undefined) {
    const ofMain = scope.where === undefined && { node };
    found.ofBatch.push({ name, why: `${why}${where}`, hasRunning: !computed && scope.where === undefined, ...ofMain });
    return;
  }
  const whyNot = scope.where === undefined ? describeInto(name, node, scope, found) : `it is${where}`;
  if (whyNot !== undefined) found.undescribed.push({ name, why: whyNot });
}

function isTraining(node: onnx.INodeProto, { opset, attributes }: Scope): boolean {
  if (opset < trainingModeOpset) return (node.output ?? []).slice(1).some((output) => output !== '');
  const own = attributeOf(node, 'training_mode');
  const reference = own?.refAttrName;
  return Number((reference ? attributes.get(reference) : own)?.i ?? 0) === 1;
}

const trainingBy = ({ opset }: Scope): string =>
  opset < trainingModeOpset ? `the outputs that opset ${opset} has in training` : 'training_mode 1';

/**
 * Adds the layer's description to `found`.
 *
 * @returns the reason if the layer by itself cannot be described
 */
function describeInto(
  name: string,
  node: onnx.INodeProto,
  { opset, constant }: Scope,
  found: Findings,
): string | undefined {
  const parameters = (node.input ?? []).slice(1, 5).map(constant);
  const [gamma, beta, mean, variance] = parameters;
  if (!gamma || !beta || !mean || !variance) return 'its parameters are not stored in the file';
  if (opset < spatialOpset && Number(attributeOf(node, 'spatial')?.i ?? 1) === 0 && gamma.dims.length > 1)
    return 'it normalizes each place by itself (spatial 0)';
  const channels = gamma.values.length;
  if (parameters.some((parameter) => parameter?.values.length !== channels)) return 'its parameters differ in length';
  found.parameters += 4 * channels;
  if (found.parameters > MAX_PARAMETERS || ++found.count > MAX_LAYERS) return undefined;
  const [input = '', output = ''] = [node.input?.[0], node.output?.[0]];
  const [epsilon, momentum] = [floatOf(node, 'epsilon', 1e-5), floatOf(node, 'momentum', 0.9)];
  const arrays = { gamma, beta, runningMean: mean, runningVar: variance };
  found.layers.push({ name, input, output, epsilon, momentum, ...mapValues(arrays, shortestOf) });
  return undefined;
}

const shortestOf = ({ values }: Constant): readonly number[] => Array.from(values, shortestFloat);

/** `bn1/BatchNormalization` -> `bn1`: the operator's name says nothing here. */
const layerName = (node: string): string => node.replace(/^\//, '').replace(/\/?BatchNormalization$/, '') || node;

const floatOf = (node: onnx.INodeProto, name: string, standard: number): number =>
  shortestFloat(attributeOf(node, name)?.f ?? standard);

const mapValues = <Key extends string, In, Out>(record: Record<Key, In>, map: (value: In) => Out): Record<Key, Out> =>
  Object.fromEntries(Object.entries<In>(record).map(([key, value]) => [key, map(value)])) as Record<Key, Out>;
