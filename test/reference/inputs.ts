/** Declares the inputs of a graph under test, with a word for each. */
import type { DType, GraphBuilder, Shape, Value } from '../../training/graph/index.ts';

export const typed = (g: GraphBuilder, name: string, dtype: DType, ...shape: Shape): Value =>
  g.input(name, { dtype, shape });

export const float = (g: GraphBuilder, name: string, ...shape: Shape): Value => typed(g, name, 'float32', ...shape);
