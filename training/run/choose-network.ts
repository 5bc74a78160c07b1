/** The network of a run: what the flags say, or else what the data suggest, in the units of the data. */
import { inputsOf } from '../columns/index.ts';
import { binEdges, classesOf, type DataSource, type LoadedData, sourceName } from '../data/index.ts';
import { quote, unexpected } from '../files/index.ts';
import { formatShape, sameShape } from '../graph/index.ts';
import {
  denseNetwork,
  imageNetwork,
  membersNetwork,
  type Network,
  outputShapeOf,
  type Plan,
  type Units,
} from '../network/index.ts';
import { checkObjective, type Objective, objectiveRuleOf, type OutputKind } from '../objective/index.ts';
import { findNetwork } from './network.ts';

export interface NetworkFlags {
  /** A name or a file. */
  readonly network?: string | undefined;
  /** The widths of dense layers, in place of a network. */
  readonly hidden?: readonly number[] | undefined;
  /** How many members share them, each with a Batch Norm and a head of its own. */
  readonly members?: number | undefined;
  /** Into how many bins each number of a row is cut, at most. */
  readonly bins?: number | undefined;
}

const defaultWidths = [64, 32];

/** @throws UserError for two networks, none of that name, or one that takes other samples than the data's */
export async function chooseNetwork(
  { network, hidden, members, bins }: NetworkFlags,
  source: DataSource,
  data: LoadedData,
  objective: Objective,
): Promise<Network> {
  const isDense = hidden !== undefined || members !== undefined;
  if (network !== undefined && isDense) {
    throw unexpected(hidden ? '--hidden' : '--members', 'no --network beside it', quote(network));
  }
  const name = network ?? (source.path === undefined && !isDense ? 'mnist-cnn' : undefined);
  const rule = objectiveRuleOf(objective);
  const units = { ...unitsOf(data, rule.output), ...(bins !== undefined && binsOf(data, bins, '--bins')) };
  if (name !== undefined) {
    const found = requireInputs(await findNetwork(name), data);
    const described = found.bins !== undefined && bins === undefined && binsOf(data, found.bins, `${found.name}: bins`);
    return { ...found, ...described, ...units, ...(bins !== undefined && { inputNormalization: 'robust' as const }) };
  }
  const { inputShape } = data.train;
  const outputs = rule.outputs(classesOf(data.train).length);
  const fit = { name: sourceName(source), inputShape, outputs, ...units };
  if (members !== undefined) {
    return membersNetwork(fit, hidden ?? defaultWidths, { count: members, average: rule.average });
  }
  return hidden || inputShape.length !== 3 ? denseNetwork(fit, hidden ?? defaultWidths) : imageNetwork(fit);
}

/**
 * @throws UserError for a network that takes other samples than the data's, or averages what the objective cannot
 * @throws GraphError for one that gives something else than the objective wants
 */
export function requireFit(plan: Plan, data: LoadedData, objective: Objective): void {
  requireInputs(plan.network, data);
  requireAverage(plan, objective);
  checkObjective(objective, outputShapeOf(plan), data.train);
}

/** Whose mean no answer of the objective is. */
function requireAverage({ network: { name, layers } }: Plan, objective: Objective): void {
  const last = layers.at(-1);
  const { average } = objectiveRuleOf(objective);
  if (last?.kind !== 'heads' || last.average === average) return;
  throw unexpected(`${name}: heads`, `the average of ${average}, for objective ${objective.kind}`, last.average);
}

function requireInputs(network: Network, { train }: LoadedData): Network {
  if (sameShape(network.inputShape, train.inputShape)) return network;
  const wanted = `a network for inputs of shape ${formatShape(train.inputShape)}, as the data have`;
  throw unexpected(network.name, wanted, formatShape(network.inputShape));
}

/** @throws UserError for samples that are no rows of numbers */
function binsOf({ train, columns }: LoadedData, bins: number, where: string): Pick<Units, 'bins' | 'edges'> {
  const inputs = inputsOf(columns ?? []);
  const isNumber = (feature: number) => (inputs[feature]?.categories ?? 0) === 0;
  if (train.inputShape.length > 1) {
    throw unexpected(where, 'rows of numbers', `samples of shape ${formatShape(train.inputShape)}`);
  }
  return { bins, edges: binEdges(train, bins, isNumber) };
}

function unitsOf({ columns }: LoadedData, output: OutputKind): Units {
  const inputs = inputsOf(columns ?? []);
  const indicators = [...inputs.keys()].filter((i) => inputs[i]?.indicator);
  return {
    ...(inputs.some(({ categories }) => categories > 0) && { categories: inputs.map(({ categories }) => categories) }),
    ...(inputs.some(({ fill }) => fill !== null) && { fills: inputs.map(({ fill }) => fill) }),
    ...(indicators.length > 0 && { indicators }),
    ...(output === 'number' && { standardizedTargets: true }),
  };
}
