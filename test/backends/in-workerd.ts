/** Backends inside workerd, asked over HTTP: the stock WebAssembly runtime, and an edge image made of the graphs it will be given. */
import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../exporter/edge/bundle.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import type { Tensor } from '../../exporter/edge/runtime/index.ts';
import { mnistSamples } from '../../exporter/edge/samples.ts';
import { readStockModule } from '../../exporter/edge/stock-module.ts';
import type { Backend, NamedTensors } from '../../training/backend/index.ts';
import { encodeModel, type Graph } from '../../training/graph/index.ts';
import { type Server, serveBundle } from '../bundle/workerd.ts';
import { readTensors, writeTensors } from './wire.ts';

export interface BackendInWorkerd extends Backend {
  readonly stop: () => Promise<void>;
}

const imports = `
  import wasm from './edge.wasm';
  import { Session, sessionsOf, startImage, startStock } from './index.ts';
  import { createSession } from './create.ts';
  import { serve } from ${JSON.stringify(join(import.meta.dirname, 'serve.ts'))};
`;

/** Creates a session for each request from the model in it. */
export async function stockInWorkerd(): Promise<BackendInWorkerd> {
  const source = `${imports}
    const { instance } = await startStock((imports) => new WebAssembly.Instance(wasm, imports), {});
    export default serve((model) => new Session('graph', instance, createSession(instance, model)));`;
  const server = await serveWorker(await bundle(source, 'shared'), await readStockModule());
  return backendOn('wasm in workerd', server, (model) => new Blob([model as Uint8Array<ArrayBuffer>]));
}

/** @param graphs all that will be asked for: an image holds the sessions it was made with and no others */
export async function imageInWorkerd(graphs: readonly Graph[]): Promise<BackendInWorkerd> {
  const models = Object.fromEntries(graphs.map((graph) => encodeModel(graph)).map((model) => [nameOf(model), model]));
  const { wasm, manifest } = await makeImage({
    stock: await readStockModule(),
    models,
    samples: await mnistSamples(),
    optimize: (module) => Promise.resolve(module),
    trim: false,
    onStage: () => undefined,
  });
  const source = `${imports}
    const sessions = sessionsOf(await startImage(wasm, ${JSON.stringify(manifest)}));
    export default serve((name) => sessions.get(name));`;
  return backendOn('edge image in workerd', await serveWorker(await bundle(source, 'unshared'), wasm), nameOf);
}

const nameOf = (model: Uint8Array): string => createHash('sha256').update(model).digest('hex');

async function serveWorker(code: string, wasm: Uint8Array): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-workerd-'));
  await writeFile(join(folder, 'index.js'), code);
  await writeFile(join(folder, 'edge.wasm'), wasm);
  return serveBundle(folder);
}

/** @param reference to a model, as the Worker takes it */
function backendOn(name: string, server: Server, reference: (model: Uint8Array) => Blob | string): BackendInWorkerd {
  const loadSession: Backend['loadSession'] = (model) =>
    Promise.resolve({
      run: (feeds) => ask(server.url, reference(model), feeds),
      release: () => Promise.resolve(),
    });
  return {
    name,
    engine: 'workerd',
    createSession: (graph) => loadSession(encodeModel(graph)),
    loadSession,
    stop: () => server.stop(),
  };
}

async function ask(url: string, model: Blob | string, feeds: NamedTensors): Promise<NamedTensors> {
  const body = writeTensors(feeds as Readonly<Record<string, Tensor>>);
  body.set('model', model);
  const response = await fetch(url, { method: 'POST', body });
  if (!response.ok) throw new Error(`workerd: ${await response.text()}`);
  return (await readTensors(await response.formData())) as NamedTensors;
}
