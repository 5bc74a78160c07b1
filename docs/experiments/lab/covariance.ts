/** Computes the second moments of inputs, which show how elongated a loss surface is. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { at, present } from '../../../training/arrays/index.ts';
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
  const order = range(realEigenvalues.length).toSorted((a, b) => at(realEigenvalues, b) - at(realEigenvalues, a));
  const vector = (i: number) => Float64Array.from(eigenvectorMatrix.getColumn(at(order, i)));
  return {
    values: order.map((i) => Math.max(0, at(realEigenvalues, i))),
    leading: [vector(0), vector(1)],
  };
}

/** Subtracts the mean of all rows from each, feature by feature. */
export function centred(rows: readonly Float64Array[]): readonly Float64Array[] {
  const size = at(rows, 0).length;
  const means = new Float64Array(size);
  for (const row of rows) row.forEach((value, i) => (means[i] = present(means[i]) + value / rows.length));
  return rows.map((row) => row.map((value, i) => value - present(means[i])));
}
