/** The error for graphs that the compiler does not cover. The caller serves such models with ONNX Runtime instead. */
import type { Node } from '../graph/index.ts';

export class CompileError extends Error {}

/** @returns the error that names the node, its op, and what is not covered */
export const uncovered = ({ name, op }: Pick<Node, 'name' | 'op'>, what: string): CompileError =>
  new CompileError(`${name === op || name === '' ? op : `${name} (${op})`}: ${what}`);
