/** Finds the network of `--network`: one of the catalogue, or one that a file describes. */
import { quote, unexpected, UserError } from '../files/index.ts';
import { type Network, type NetworkName, networks, parseNetwork } from '../network/index.ts';

/** @throws UserError for an unknown name, and for a file that cannot be loaded or does not export a network */
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
