/** The Worker's entry. Sessions are created at module scope, so that no request pays for them. */
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import { createApp } from './app.ts';
import type { Env } from './env.ts';
import { modelFiles, switchName } from './models.generated.ts';
import { loadModels } from './models.ts';
import { bootRuntime } from './runtime.ts';

const models = loadModels(await bootRuntime(wasm), modelFiles, switchName);
const app = createApp(models);

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
