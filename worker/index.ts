/** The Worker's entry. The edge image starts at module scope, its sessions with it, so that no request pays for them. */
import { sessions } from '../dist/edge/edge.mjs';
import { createApp } from './app.ts';
import type { Env } from './http/env.ts';
import { modelsAbout, switchName } from './models.generated.ts';
import { createModels } from './models.ts';

const app = createApp(createModels(modelsAbout, sessions, switchName));

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
