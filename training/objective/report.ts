/** Everything that is measured of a trained network on a data set, by name. */
import type { Dataset } from '../data/index.ts';
import { macroAuc } from './metrics/auc.ts';
import { accuracy, classLogits, predictions, topKAccuracy } from './metrics/classification.ts';
import { confusionMatrix, type ConfusionMatrix, macroF1 } from './metrics/confusion.ts';
import { r2, rmse } from './metrics/regression.ts';

export interface Report {
  /** Shares and areas in [0, 1], or the error and the share of the variance that is explained. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By class and predicted class; none for numbers. */
  readonly confusion: ConfusionMatrix | undefined;
}

/** @param output of the network, row-major `[count, outputs]` */
export function reportOn(dataset: Dataset, output: Float32Array): Report {
  if (dataset.task === 'regression') {
    const { values } = dataset;
    return { metrics: { RMSE: rmse(output, values), 'R²': r2(output, values) }, confusion: undefined };
  }
  const { labels, classes } = dataset;
  const logits = classLogits(output, dataset.count);
  const confusion = confusionMatrix(predictions(logits), labels, classes.length);
  const top = classes.length > 3 ? { 'top-3': topKAccuracy(logits, labels, 3) } : {};
  return {
    metrics: {
      accuracy: accuracy(logits, labels),
      ...top,
      F1: macroF1(confusion),
      AUC: macroAuc(logits, labels),
    },
    confusion,
  };
}
