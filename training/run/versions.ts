import { packageVersion } from '../files/index.ts';

/** The versions that a run was made with. */
export const versions = (engine: string): Readonly<Record<string, string>> => ({
  'bn-edge': packageVersion(),
  node: process.versions.node,
  engine,
});
