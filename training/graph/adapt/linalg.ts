/** Expresses products with vectors as products of matrices with one row or column. */
import type { Foreign, Rule } from './foreign.ts';

function matMul(node: Foreign): boolean {
  const [a, b] = [node.shapeOf(node.x), node.shapeOf(node.input(1))];
  if (!a || !b || (a.length > 1 && b.length > 1) || a.length === 0 || b.length === 0) return false;
  const row = a.length === 1 ? node.reshaped(node.x, [1, ...a]) : node.x;
  const column = b.length === 1 ? node.reshaped(node.input(1), [...b, 1]) : node.input(1);
  const product = node.add('MatMul', [row, column]);
  const shape = node.shapeOf(product) ?? [];
  return node.endReshaped(product, [
    ...shape.slice(0, -2),
    ...(a.length === 1 ? [] : shape.slice(-2, -1)),
    ...(b.length === 1 ? [] : shape.slice(-1)),
  ]);
}

export const linalg: Readonly<Record<string, Rule | undefined>> = { MatMul: matMul };
