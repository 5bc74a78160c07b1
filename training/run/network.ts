/** The network of `--network`: one of the catalogue, or the default export of a TypeScript file. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { quote, unexpected, UserError } from '../files/index.ts';
import { type Network, type NetworkName, networks, parseNetwork } from '../network/index.ts';

/** @throws UserError for an unknown name, and for a file that cannot be loaded or exports no network */
export async function findNetwork(nameOrFile: string): Promise<Network> {
  if (isName(nameOrFile)) return networks[nameOrFile];
  if (!/\.[cm]?[jt]s$/.test(nameOrFile)) {
    throw unexpected('--network', `${Object.keys(networks).join(', ')} or a .ts file`, quote(nameOrFile));
  }
  const network = parseNetwork(await defaultExport(nameOrFile));
  if (typeof network === 'string')
    throw new UserError(`${nameOrFile}: expected a network as default export: ${network}`);
  return network;
}

const isName = (name: string): name is NetworkName => Object.hasOwn(networks, name);

async function defaultExport(file: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown };
    return module.default;
  } catch (error) {
    const [reason] = String(error).split('\n');
    throw new UserError(`${file}: cannot load: ${reason ?? ''}`, { cause: error });
  }
}
