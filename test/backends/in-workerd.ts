/**
 * Backends inside workerd, called over HTTP: the stock WebAssembly runtime, and an edge image of the graphs under test.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../exporter/edge/bundle.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';
import { sessionBytes } from '../../exporter/edge/cases/verify.ts';
import type { Backend, NamedTensors } from '../../training/backend/index.ts';
import { encodeModel, type Graph } from '../../training/graph/index.ts';
import { type Server, serveBundle } from '../bundle/workerd.ts';
import { modelName } from './serve.ts';
import { readTensors, type Tensors, writeTensors } from './wire.ts';

export interface BackendInWorkerd extends Backend {
  readonly stop: () => Promise<void>;
}

export interface ImageInWorkerd extends BackendInWorkerd {
  /** Overwrites the session in the runtime's memory, so that it traps, and runs it in the same request. */
  readonly runDamaged: (graph: Graph, feeds: NamedTensors) => Promise<NamedTensors>;
}

const imports = `
  import wasm from './edge.wasm';
  import { Session, sessionsOf, startImage, startStock } from './index.ts';
  import { createSession } from './create.ts';
  import { serve } from ${JSON.stringify(join(import.meta.dirname, 'serve.ts'))};
`;

/** Starts a Worker that creates a session for each request from the model in the request. */
export async function stockInWorkerd(): Promise<BackendInWorkerd> {
  const source = `${imports}
    const { instance } = await startStock((imports) => new WebAssembly.Instance(wasm, imports), {});
    export default serve((_, file) => new Session('graph', instance, createSession(instance, file)));`;
  const server = await serveWorker(await bundle(source, 'shared'), await readStockModule());
  return backendOn('wasm in workerd', server, (data) => ({
    path: '',
    extra: { [modelName]: { dtype: 'uint8', shape: [data.length], data } },
  }));
}

/** @param graphs all graphs to be run: an image holds only the sessions it was made with */
export async function imageInWorkerd(graphs: readonly Graph[]): Promise<ImageInWorkerd> {
  const models = Object.fromEntries(graphs.map((graph) => encodeModel(graph)).map((model) => [nameOf(model), model]));
  const { wasm, whole, manifest } = await makeImage({
    stock: await readStockModule(),
    models,
    samples: {},
    optimize: (module) => Promise.resolve(module),
    trim: false,
    recall: (_what, _inputs, make) => make(),
    onStage: () => undefined,
  });
  const source = `${imports}
    ${whole ? "import whole from './whole.wasm';" : 'const whole = undefined;'}
    const started = await startImage(wasm, ${JSON.stringify(manifest)}, { whole });
    const sessions = sessionsOf(started);
    const damage = ({ handle }) => started.instance.heap.bytes.fill(0xff, handle, handle + ${sessionBytes});
    export default serve((path) => {
      const [name, damaged] = path.split('/');
      if (damaged) damage(started.sessions[name]);
      return sessions.get(name);
    });`;
  const server = await serveWorker(await bundle(source, 'unshared'), wasm, whole);
  return {
    ...backendOn('edge image in workerd', server, (model) => ({ path: nameOf(model), extra: {} })),
    runDamaged: (graph, feeds) => ask(`${server.url}/${nameOf(encodeModel(graph))}/damaged`, feeds),
  };
}

const nameOf = (model: Uint8Array): string => createHash('sha256').update(model).digest('hex');

async function serveWorker(code: string, wasm: Uint8Array, whole?: Uint8Array): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-workerd-'));
  await writeFile(join(folder, 'index.js'), code);
  await writeFile(join(folder, 'edge.wasm'), wasm);
  if (whole) await writeFile(join(folder, 'whole.wasm'), whole);
  return serveBundle(folder);
}

/** Tells a request's model: by a name in the path, or by its file as one more tensor. */
type Reference = (model: Uint8Array) => { readonly path: string; readonly extra: NamedTensors };

function backendOn(name: string, server: Server, reference: Reference): BackendInWorkerd {
  const loadSession: Backend['loadSession'] = (model) => {
    const { path, extra } = reference(model);
    const run = (feeds: NamedTensors) => ask(`${server.url}/${path}`, { ...feeds, ...extra });
    return Promise.resolve({ run, release: () => Promise.resolve() });
  };
  return {
    name,
    engine: 'workerd',
    createSession: (graph) => loadSession(encodeModel(graph)),
    loadSession,
    stop: () => server.stop(),
  };
}

async function ask(url: string, tensors: NamedTensors): Promise<NamedTensors> {
  const response = await fetch(url, { method: 'POST', body: writeTensors(tensors as Tensors) });
  if (!response.ok) throw new Error(`workerd: ${await response.text()}`);
  return readTensors(await response.arrayBuffer()) as NamedTensors;
}
