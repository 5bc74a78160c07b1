/** Prints a graph as text, one node a line, for reviews and snapshots. */
import type { Graph, Node } from './ops.ts';
import { formatShape, formatType } from './schemas/schema.ts';
import type { Value } from './types.ts';

/**
 * Prints a graph in this form:
 *
 *     digits(x: float32[N, 784]) {
 *       fc1/Gemm: float32[N, 10] = Gemm(x, fc1.weight) {transB: 1}
 *       return fc1/Gemm
 *     }
 */
export function printGraph(graph: Graph): string {
  const inputs = graph.inputs.map((value) => `${value.name}: ${formatType(value)}`);
  const outputs = graph.outputs.map((value) => value.name);
  const lines = [...graph.nodes.map(printNode), `return ${outputs.join(', ')}`];
  return [`${graph.name}(${inputs.join(', ')}) {`, ...lines.map(indent), '}'].join('\n');
}

function printNode(node: Node): string {
  const outputs = node.outputs.map((value) => `${value.name}: ${formatType(value)}`).join(', ');
  const inputs = node.inputs.map((value) => (value ? printInput(value) : '_')).join(', ');
  return `${outputs} = ${node.op}(${withoutTrailingBlanks(inputs)})${printAttributes(node)}`;
}

/** Prints an input; constants of up to eight elements are shown by value. */
function printInput({ name, constant }: Value): string {
  if (!constant || constant.data.length > 8) return name;
  const elements = Array.from<number | bigint>(constant.data).map(printNumber);
  return constant.shape.length === 0 ? elements.join() : `[${elements.join(', ')}]`;
}

function printAttributes(node: Node): string {
  const entries = Object.entries(node.attributes).map(
    ([name, value]) => `${name}: ${printAttribute(value as unknown)}`,
  );
  return entries.length === 0 ? '' : ` {${entries.join(', ')}}`;
}

function printAttribute(value: unknown): string {
  if (Array.isArray(value)) return formatShape(value);
  if (typeof value === 'object') return printGraph(value as Graph);
  return typeof value === 'number' ? printNumber(value) : (value as string);
}

/**
 * Prints a number. Fractions are rounded to float32's precision, so that an attribute prints as it was written: 0.9,
 * not 0.8999999761581421.
 */
function printNumber(value: number | bigint): string {
  return Number.isInteger(value) || typeof value === 'bigint'
    ? String(value)
    : String(Number(Math.fround(value).toPrecision(7)));
}

const withoutTrailingBlanks = (inputs: string): string => inputs.replace(/(, _)+$/, '');

const indent = (text: string): string => text.replace(/^/gm, '  ');
