/** The objectives with numbers: the squared error and Huber's loss. */
import type { GraphBuilder, Value } from '../../graph/index.ts';
import { rmse } from '../metrics/regression.ts';
import type { ObjectiveKind, ObjectiveOf } from '../objective.ts';
import type { ObjectiveRule } from '../rule.ts';

/** Of the error e = output − value, in units, on the host and as graph nodes. */
interface Loss<K extends ObjectiveKind> {
  readonly of: (objective: ObjectiveOf<K>, e: number) => number;
  readonly emit: (g: GraphBuilder, objective: ObjectiveOf<K>, e: Value) => Value;
}

/** `[B, 1]`, from the output `[B, 1]` and the values `[B]`. */
const errorOf = (g: GraphBuilder, output: Value, values: Value): Value =>
  g.Sub(output, g.Reshape(values, g.ints([-1, 1])));

const regression = <K extends 'mse' | 'huber'>(loss: Loss<K>): ObjectiveRule<K> => ({
  task: 'regression',
  targets: 'float32',
  outputs: () => 1,
  emitLoss: (g, objective, output, values) => {
    const e = errorOf(g, output, values);
    const inUnits = objective.unit === undefined ? e : g.Div(e, g.scalar(objective.unit));
    return g.ReduceMean(loss.emit(g, objective, inUnits), g.ints([0, 1]), { keepdims: 0 });
  },
  emitScore: (g, output, values) => {
    const e = errorOf(g, output, values);
    return g.ReduceSum(g.Mul(e, e), g.ints([0, 1]), { keepdims: 0 });
  },
  summarize: (mean, squares, count) => ({ loss: mean, rmse: Math.sqrt(squares / count) }),
  evaluate: (objective, output, values) => {
    const { unit = 1 } = objective;
    const total = output.reduce((sum, y, i) => sum + loss.of(objective, (y - (values[i] ?? NaN)) / unit), 0);
    return { loss: total / output.length, rmse: rmse(output, values) };
  },
});

/** e² */
export const mse = regression<'mse'>({
  of: (_objective, e) => e * e,
  emit: (g, _objective, e) => g.Mul(e, e),
});

/** c (e − c / 2) with c = e cut to [−δ, δ]: ½ e² inside, δ (|e| − δ / 2) outside. Huber, https://doi.org/10.1214/aoms/1177703732 */
export const huber = regression<'huber'>({
  of: ({ delta }, e) => {
    const c = Math.min(Math.max(e, -delta), delta);
    return c * (e - c / 2);
  },
  emit: (g, { delta }, e) => {
    const c = g.Clip(e, g.scalar(-delta), g.scalar(delta));
    return g.Mul(c, g.Sub(e, g.Mul(c, g.scalar(0.5))));
  },
});
