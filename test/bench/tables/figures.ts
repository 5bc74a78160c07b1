/** Computes figures from answers: how good each engine is on each table, and over all tables beside the best tree. */
import type { Dataset } from '../../../training/data/index.ts';
import { reportOn, rmse } from '../../../training/objective/index.ts';
import type { Measurement } from '../measurement.ts';
import { type Outcome, trees } from './engines.ts';

/** Holds the figures of one engine on one table, the means over its splits. */
export interface Figures {
  readonly rows: number;
  readonly isOfClasses: boolean;
  readonly values: Readonly<Record<string, number>>;
}

export const units: Readonly<Record<string, string>> = {
  error: '',
  log_loss: '',
  rmse: '',
  ece: '',
  cpu_seconds: 's',
  bytes: 'B',
  row_ms: 'ms',
  row_ms_onnx: 'ms',
  rank: '',
  error_over_best_tree_percent: '%',
  log_loss_over_best_tree_percent: '%',
};

/** The least probability that counts, about the precision of float32: one answer cannot outweigh all others. */
const MIN = 1e-7;

/** Computes the figures of one split. The error is the share of wrong answers, or the RMSE. */
export function figuresOf(test: Dataset, { answers, ...costs }: Outcome): Figures['values'] {
  const known = Object.fromEntries(
    Object.entries({ ...costs }).filter((entry): entry is [string, number] => entry[0] in units),
  );
  if (test.task === 'regression') {
    const error = rmse(answers, test.values);
    return { error, rmse: error, ...known };
  }
  const { labels, classes, count } = test;
  const clipped = Float32Array.from(answers, (p) => Math.log(Math.max(p, MIN)));
  const loss = labels.reduce((sum, label, i) => sum - (clipped[i * classes.length + label] ?? NaN), 0) / count;
  const { metrics, calibration } = reportOn(test, clipped);
  return { error: 1 - (metrics['accuracy'] ?? NaN), log_loss: loss, ece: calibration?.error ?? NaN, ...known };
}

export function meanOf(all: readonly Figures['values'][]): Figures['values'] {
  const [first = {}] = all;
  return Object.fromEntries(
    Object.keys(first).map((name) => [name, all.reduce((sum, one) => sum + (one[name] ?? NaN), 0) / all.length]),
  );
}

/** Maps each table to its figures by engine. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, Figures>>;

/** The calibration error of tables with fewer rows is too noisy. */
const FEWEST_FOR_ECE = 2000;

/**
 * Summarizes each engine over all tables: its distance from the best tree on the test part, its mean rank, and its
 * cost.
 */
export function summaryOf(results: Results): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const engines = [...new Set([...results.values()].flatMap((one) => [...one.keys()]))];
  return new Map(
    engines.map((engine) => {
      const own = [...results.values()].flatMap((one) => {
        const figures = one.get(engine);
        return figures ? [{ figures, all: one }] : [];
      });
      const mean = (values: readonly number[]) => {
        const finite = values.filter((value) => Number.isFinite(value));
        return finite.reduce((sum, value) => sum + value, 0) / finite.length;
      };
      const over = (name: 'error' | 'log_loss') =>
        own.map(({ figures, all }) => 100 * Math.log(sized(figures, name) / bestTree(all, name)));
      const cost = (name: string) => mean(own.map(({ figures }) => figures.values[name] ?? NaN));
      const calibrated = own.filter(({ figures }) => figures.isOfClasses && figures.rows >= FEWEST_FOR_ECE);
      const summary = {
        error_over_best_tree_percent: mean(over('error')),
        log_loss_over_best_tree_percent: mean(over('log_loss')),
        rank: mean(own.map(({ figures, all }) => rankOf(figures, all))),
        ece: mean(calibrated.map(({ figures }) => figures.values['ece'] ?? NaN)),
        ...Object.fromEntries(['cpu_seconds', 'row_ms', 'row_ms_onnx', 'bytes'].map((name) => [name, cost(name)])),
      };
      return [engine, Object.fromEntries(Object.entries(summary).filter(([, value]) => Number.isFinite(value)))];
    }),
  );
}

/** Adds half a test row to the error of classes, which may be zero. */
function sized({ rows, isOfClasses, values }: Figures, name: string): number {
  const halfRow = name === 'error' && isOfClasses ? 0.5 / (0.2 * rows) : 0;
  return (values[name] ?? NaN) + halfRow;
}

const bestTree = (all: ReadonlyMap<string, Figures>, name: string): number =>
  Math.min(
    ...trees.flatMap((tree) => {
      const figures = all.get(tree);
      return figures ? [sized(figures, name)] : [];
    }),
  );

/** Returns the rank by error: 1 is the best; equal errors share the mean of their ranks. */
function rankOf(own: Figures, all: ReadonlyMap<string, Figures>): number {
  const errors = [...all.values()].map((figures) => sized(figures, 'error'));
  const error = sized(own, 'error');
  const better = errors.filter((other) => other < error).length;
  const same = errors.filter((other) => other === error).length;
  return better + (same + 1) / 2;
}

export function measurementsOf(results: Results): readonly Measurement[] {
  const rows = [...results].flatMap(([table, engines]) =>
    [...engines].flatMap(([engine, { values }]) =>
      Object.entries(values).map(([name, value]) => ({ path: `${table}/${engine}/${name}`, name, value })),
    ),
  );
  const means = [...summaryOf(results)].flatMap(([engine, values]) =>
    Object.entries(values).map(([name, value]) => ({ path: `mean/${engine}/${name}`, name, value })),
  );
  return [...rows, ...means]
    .filter(({ value }) => Number.isFinite(value))
    .map(({ path, name, value }) => ({ name: `tables/${path}`, value, unit: units[name] ?? '' }));
}
