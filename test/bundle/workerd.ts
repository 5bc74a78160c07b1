/**
 * Builds the Worker as `wrangler deploy` does and serves that bundle with the bare runtime: no development proxy, no
 * source maps, nothing between the client and workerd.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { unstable_readConfig } from 'wrangler';

/** The path of the binary. The package is CommonJS without types, and loaders disagree on its default export. */
const workerd = (createRequire(import.meta.url)('workerd') as { default: string }).default;

const root = resolve(import.meta.dirname, '../..');

/**
 * Builds the image and the bundle of this project's Worker.
 * @param config the Wrangler file of another Worker, below this project's folder
 * @returns the folder of the bundle
 */
export function buildBundle(config = 'wrangler.toml'): string {
  const outdir = mkdtempSync(join(tmpdir(), 'bn-edge-bundle-'));
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');
  execFileSync(process.execPath, [wrangler, 'deploy', '--dry-run', '--config', config, '--outdir', outdir], {
    cwd: root,
    stdio: 'pipe',
  });
  return outdir;
}

export interface Server {
  readonly url: string;
  /** The address of the isolate's inspector, where it was requested. */
  readonly inspector: string | undefined;
  /** The process id of workerd. */
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly isInspected?: boolean;
  /** The variables of the Worker. By default no request is logged: the lines would mix with the test's own. */
  readonly vars?: Readonly<Record<string, unknown>>;
  /** Binds the class's Durable Objects to this name. Their storage is in the bundle's folder. */
  readonly objects?: { readonly binding: string; readonly className: string } | undefined;
  /** Flags of V8: https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
  readonly v8Flags?: readonly string[];
}

/** Serves a bundle on a free port of the local host. */
export async function serveBundle(
  outdir: string,
  { isInspected = false, vars = {}, objects, v8Flags = [] }: ServeOptions = {},
): Promise<Server> {
  const config = join(outdir, 'config.capnp');
  writeFileSync(config, capnp(outdir, { LOG_REQUESTS: false, ...vars }, v8Flags, objects));
  const options = ['--control-fd=3', ...(isInspected ? ['--inspector-addr=127.0.0.1:0'] : [])];
  const child = spawn(workerd, ['serve', ...options, config], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const exited = new Promise<void>((done) =>
    child.once('exit', () => {
      done();
    }),
  );
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
    rmSync(outdir, { recursive: true, force: true });
  };
  const { port, inspector } = await listening(child.stdio[3] as Readable);
  return {
    url: `http://127.0.0.1:${port}`,
    inspector: inspector === undefined ? undefined : `ws://127.0.0.1:${inspector}/${service}`,
    pid: child.pid ?? 0,
    stop,
  };
}

/** Returns the ports that workerd reports on its control pipe: the inspector's, then that for requests. */
async function listening(control: Readable) {
  let inspector: number | undefined;
  for await (const chunk of control) {
    for (const line of String(chunk).trim().split('\n')) {
      const { event, port } = JSON.parse(line) as { event: string; port: number };
      if (event === 'listen') return { port, inspector };
      inspector = port;
    }
  }
  throw new Error('workerd: expected to listen, got an exit');
}

const service = 'bn-edge';

const moduleTypes: Record<string, string> = { js: 'esModule', wasm: 'wasm', bin: 'data' };

/** Writes a workerd configuration of one service: the bundle's modules, the entry first, and the variables. */
function capnp(
  outdir: string,
  vars: Readonly<Record<string, unknown>>,
  v8Flags: readonly string[],
  objects: ServeOptions['objects'],
): string {
  const config = unstable_readConfig({ config: join(root, 'wrangler.toml') }) as {
    readonly compatibility_date: string;
  };
  const files = readdirSync(outdir).filter((file) => (file.split('.').at(-1) ?? '') in moduleTypes);
  files.sort((a, b) => Number(b === 'index.js') - Number(a === 'index.js'));
  const modules = files.map(
    (file) => `(name = "${file}", ${moduleTypes[file.split('.').at(-1) ?? '']} = embed "${file}")`,
  );
  const bindings = Object.entries(vars).map(
    ([name, value]) => `(name = "${name}", json = ${JSON.stringify(JSON.stringify(value))})`,
  );
  if (objects) bindings.push(`(name = "${objects.binding}", durableObjectNamespace = "${objects.className}")`);
  const namespaces = objects
    ? `
  durableObjectNamespaces = [(className = "${objects.className}", uniqueKey = "${objects.className}", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),`
    : '';
  const disk = objects ? `, (name = "objects", disk = (path = ${JSON.stringify(mkdtempSync(join(outdir, 'objects-')))}, writable = true))` : ''; // oxfmt-ignore
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "${service}", worker = .worker)${disk}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "${service}")],
  v8Flags = ${JSON.stringify(v8Flags)},
);
const worker :Workerd.Worker = (
  compatibilityDate = "${config.compatibility_date}",
  modules = [${modules.join(', ')}],
  bindings = [${bindings.join(', ')}],${namespaces}
);
`;
}
