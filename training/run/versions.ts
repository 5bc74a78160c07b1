import type { Backend } from '../backend/index.ts';
import { packageVersion } from '../files/index.ts';

/** What a run was made with. */
export const versions = ({ engine }: Backend): Readonly<Record<string, string>> => ({
  'bn-edge': packageVersion(),
  node: process.versions.node,
  engine,
});
