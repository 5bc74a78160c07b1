/** Computes the second moments of inputs, which tell how elongated a loss surface is. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { range } from './range.ts';

export interface Spectrum {
  /** Lists the eigenvalues from the largest down, none below zero. */
  readonly values: readonly number[];
  /** Holds unit eigenvectors of the two largest. */
  readonly leading: readonly [Float64Array, Float64Array];
}

/**
 * Computes the eigenvalues of E[x xᵀ]. This matrix is the Hessian of a least-squares loss of W x by each row of W, and
 * bounds that of logistic regression.
 *
 * @param rows the rows of the matrix X `[samples, features]`
 */
export function spectrumOf(rows: readonly Float64Array[]): Spectrum {
  const X = new Matrix(rows.map((row) => Array.from(row)));
  const moments = X.transpose().mmul(X).div(rows.length);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(moments, { assumeSymmetric: true });
  const order = range(realEigenvalues.length).toSorted(
    (a, b) => (realEigenvalues[b] ?? NaN) - (realEigenvalues[a] ?? NaN),
  );
  const vector = (i: number) => Float64Array.from(eigenvectorMatrix.getColumn(order[i] ?? 0));
  return {
    values: order.map((i) => Math.max(0, realEigenvalues[i] ?? NaN)),
    leading: [vector(0), vector(1)],
  };
}

/** Subtracts the mean of all rows from each, feature by feature. */
export function centred(rows: readonly Float64Array[]): readonly Float64Array[] {
  const size = rows[0]?.length ?? 0;
  const means = new Float64Array(size);
  for (const row of rows) row.forEach((value, i) => (means[i] = (means[i] ?? 0) + value / rows.length));
  return rows.map((row) => row.map((value, i) => value - (means[i] ?? NaN)));
}
