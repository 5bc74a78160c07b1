/** Chooses the network of a run by the flags, or by default for the data, and gives it the units of the data. */
import { at } from '../arrays/index.ts';
import { inputsOf } from '../columns/index.ts';
import { classesOf, type DataSource, type LoadedData, sourceName } from '../data/index.ts';
import { quote, unexpected, UserError } from '../files/index.ts';
import { formatShape, sameShape } from '../graph/index.ts';
import {
  denseNetwork,
  encodedShape,
  imageNetwork,
  membersNetwork,
  type LayerOf,
  type Network,
  type NetworkName,
  networks,
  outputShapeOf,
  parseNetwork,
  type Plan,
  type Units,
} from '../network/index.ts';
import { checkObjective, type Objective, objectiveRuleOf } from '../objective/index.ts';
import { binsFor, recipeFor } from './recipe.ts';
import { binsOf, unitsOf } from './units.ts';

export interface NetworkFlags {
  /** A name or a file. */
  readonly network?: string | undefined;
  /** The widths of dense layers, instead of a network. */
  readonly hidden?: readonly number[] | undefined;
  /** The number of members that share the layers, each with its own Batch Norm and head; 1 means a plain network. */
  readonly members?: number | undefined;
  /** The maximum number of bins for each number of a row; 0 for no bins. */
  readonly bins?: number | undefined;
}

const defaultWidths = [64, 32];

/**
 * Returns the network of a run.
 *
 * @throws UserError for two networks, an unknown name, or a network that takes other samples than the data's
 */
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
    // The flag replaces the description's bins, and 0 removes them.
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

/**
 * Finds the network of `--network`: one of the catalogue, or one that a file describes.
 *
 * @throws UserError for an unknown name, and for a file that cannot be loaded or does not export a network
 */
export async function findNetwork(nameOrFile: string): Promise<Network> {
  if (isName(nameOrFile)) return networks[nameOrFile];
  if (!/\.(?:[cm]?[jt]s|json)$/.test(nameOrFile)) {
    throw unexpected(
      '--network',
      `${Object.keys(networks).join(', ')}, or a .ts, .js or .json file`,
      quote(nameOrFile),
    );
  }
  const { loadNetworkFile } = await import('./network-file.ts');
  const network = parseNetwork(await loadNetworkFile(nameOrFile));
  if (typeof network === 'string') {
    const what = nameOrFile.endsWith('.json') ? 'a network' : 'a network as default export';
    throw new UserError(`${nameOrFile}: expected ${what}: ${network}`);
  }
  return network;
}

const isName = (name: string): name is NetworkName => Object.hasOwn(networks, name);

/** Returns a network of the size that suits the table. */
function tableNetwork(
  data: LoadedData,
  fit: Parameters<typeof denseNetwork>[0],
  { members, bins, average }: Pick<NetworkFlags, 'members' | 'bins'> & Pick<LayerOf<'heads'>, 'average'>,
): Network {
  const { train } = data;
  const defaultBins = binsFor(inputsOf(data.columns ?? []).filter(({ categories }) => categories === 0).length);
  const binned = bins === undefined && defaultBins > 0 ? { ...fit, ...binsOf(data, defaultBins, '--bins') } : fit;
  const robust = { ...binned, inputNormalization: 'robust' } as const;
  const recipe = recipeFor(sizeOf(data), at(encodedShape(binned), 0), classesOf(train).length);
  const { widths, isLate } = recipe;
  const count = members ?? recipe.members;
  return isSeveral(count) ? membersNetwork(robust, widths, { count, average, isLate }) : denseNetwork(robust, widths);
}

/** Counts the samples of all parts. */
export const sizeOf = ({ train, validation, test }: LoadedData): number => train.count + validation.count + test.count;

const isSeveral = (members: number | undefined): members is number => members !== undefined && members > 1;

/**
 * Checks that a network fits the data and the objective.
 *
 * @throws UserError for a network that takes other samples than the data's, or averages in a way that the objective
 * does not allow
 * @throws GraphError for a network with other outputs than the objective needs
 */
export function requireFit(plan: Plan, data: LoadedData, objective: Objective): void {
  requireInputs(plan.network, data);
  requireAverage(plan, objective);
  checkObjective(objective, outputShapeOf(plan), data.train);
}

/** Refuses heads whose average is not a valid answer of the objective. */
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
 * Returns the edges of the bins that a described network needs, unless a flag sets the bins.
 *
 * @throws UserError for a flag beside a layer that sets them itself
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
