/** The network of a run: what the flags say, or else what the data suggest, in the units of the data. */
import { inputsOf } from '../columns/index.ts';
import { classesOf, type DataSource, type LoadedData, sourceName } from '../data/index.ts';
import { quote, unexpected } from '../files/index.ts';
import { formatShape, sameShape } from '../graph/index.ts';
import {
  denseNetwork,
  encodedShape,
  imageNetwork,
  membersNetwork,
  type LayerOf,
  type Network,
  outputShapeOf,
  type Plan,
  type Units,
} from '../network/index.ts';
import { checkObjective, type Objective, objectiveRuleOf } from '../objective/index.ts';
import { findNetwork } from './network.ts';
import { binsFor, recipeFor } from './recipe.ts';
import { binsOf, unitsOf } from './units.ts';

export interface NetworkFlags {
  /** A name or a file. */
  readonly network?: string | undefined;
  /** The widths of dense layers, in place of a network. */
  readonly hidden?: readonly number[] | undefined;
  /** How many members share the layers, each with a Batch Norm and a head of its own; one is none. */
  readonly members?: number | undefined;
  /** Into how many bins each number of a row is cut, at most; none where it is 0. */
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
  const units = { ...unitsOf(data, rule.output), ...(bins && binsOf(data, bins, '--bins')) };
  if (name !== undefined) {
    const { bins: own, ...others } = requireInputs(await findNetwork(name), data);
    // The flag takes the place of the description's bins, and 0 of any.
    const found = own === undefined || bins === 0 ? others : { ...others, bins: own };
    const described = { ...found, ...edgesFor(found, data, bins), ...units };
    return bins ? { ...described, inputNormalization: 'robust' } : described;
  }
  const { inputShape } = data.train;
  const outputs = rule.outputs(classesOf(data.train).length);
  const fit = { name: sourceName(source), inputShape, outputs, ...units };
  if (data.columns && !hidden) return tableNetwork(data, fit, { members, bins, average: rule.average });
  if (isSeveral(members)) {
    return membersNetwork(fit, hidden ?? defaultWidths, { count: members, average: rule.average });
  }
  return isDense || inputShape.length !== 3 ? denseNetwork(fit, hidden ?? defaultWidths) : imageNetwork(fit);
}

/** Of the size that suits the table. */
function tableNetwork(
  data: LoadedData,
  fit: Parameters<typeof denseNetwork>[0],
  { members, bins, average }: Pick<NetworkFlags, 'members' | 'bins'> & Pick<LayerOf<'heads'>, 'average'>,
): Network {
  const { train } = data;
  const usual = binsFor(inputsOf(data.columns ?? []).filter(({ categories }) => categories === 0).length);
  const cut = bins === undefined && usual > 0 ? { ...fit, ...binsOf(data, usual, '--bins') } : fit;
  const robust = { ...cut, inputNormalization: 'robust' } as const;
  const [inputs = 0] = encodedShape(cut);
  const { widths, members: usualMembers, isLate } = recipeFor(sizeOf(data), inputs, classesOf(train).length);
  const count = members ?? usualMembers;
  return isSeveral(count) ? membersNetwork(robust, widths, { count, average, isLate }) : denseNetwork(robust, widths);
}

/** The samples of all parts. */
export const sizeOf = ({ train, validation, test }: LoadedData): number => train.count + validation.count + test.count;

const isSeveral = (members: number | undefined): members is number => members !== undefined && members > 1;

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

/**
 * The edges of the bins that a described network wants, unless a flag says others.
 *
 * @throws UserError for a flag beside a layer that says so itself
 */
function edgesFor(
  { name, bins, layers }: Network,
  data: LoadedData,
  asked: number | undefined,
): Partial<Pick<Units, 'bins' | 'edges'>> {
  const encoder = layers.find((layer) => layer.kind === 'encodeNumbers');
  if (encoder && asked !== undefined) throw unexpected('--bins', `no encodeNumbers in ${name} beside it`, encoder.bins);
  if (encoder && encoder.bins > 0) {
    return { edges: binsOf(data, encoder.bins, `${name}: encodeNumbers`).edges };
  }
  return bins === undefined || asked !== undefined ? {} : binsOf(data, bins, `${name}: bins`);
}
