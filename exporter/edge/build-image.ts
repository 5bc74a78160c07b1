/** ADAPTER until buildImage of the edge pipeline is merged. */
import { join } from 'node:path';
import { writeRegistry } from '../store/registry.ts';
import { buildEdge } from './pipeline.ts';

export interface BuildImageOptions {
  readonly models: string;
  readonly out: string;
  readonly onStage?: (stage: string) => void;
  readonly trim?: boolean;
  readonly stock?: boolean;
}

export interface BuiltModel {
  readonly name: string;
  readonly path: string;
  readonly version: string;
  readonly gzipBytes: number;
  readonly twin: boolean;
  readonly cases: number;
  readonly ok: boolean;
  readonly error?: string;
}

export interface BuiltImage {
  readonly upToDate: boolean;
  readonly out: string;
  readonly models: readonly BuiltModel[];
  readonly bytes: { readonly wasm: number; readonly gzip: number };
}

export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  const { models, out, onStage = () => undefined, trim = false, stock = false } = options;
  await writeRegistry(models, join(out, 'models.generated.ts'), join(out, 'models'));
  const built = await buildEdge({ modelsFolder: join(out, 'models'), outFolder: out, stock, trim, onStage });
  const names = Object.keys(built.models).filter((name) => name.endsWith('/model'));
  return {
    upToDate: built.upToDate,
    out,
    models: names.map((name) => ({
      name: name.split('/')[0] ?? '',
      path: name.replace(/\/model$/, ''),
      version: '1',
      gzipBytes: 0,
      twin: false,
      cases: built.image?.verifiedCases ?? 0,
      ok: true,
    })),
    bytes: { wasm: 0, gzip: 0 },
  };
}
