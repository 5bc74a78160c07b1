/** What the compiler does not cover: whoever asked serves the model by ONNX Runtime instead. */
import type { Node } from '../graph/index.ts';

export class CompileError extends Error {}

/** @returns the error that names the node, its op, and what of it is not covered */
export const uncovered = ({ name, op }: Pick<Node, 'name' | 'op'>, what: string): CompileError =>
  new CompileError(`${name === op || name === '' ? op : `${name} (${op})`}: ${what}`);
