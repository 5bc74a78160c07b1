/** The objectives with classes: multi-class and binary cross-entropy. */
import { at, present } from '../../arrays/index.ts';
import { type ClassificationDataset, classWeights, countLabels } from '../../data/index.ts';
import { fourDigits, percent } from '../../files/index.ts';
import { type GraphBuilder, known, type Tensor, type Value } from '../../graph/index.ts';
import { macroAuc } from '../metrics/auc.ts';
import { calibration } from '../metrics/calibration.ts';
import {
  accuracy,
  classLogits,
  crossEntropy,
  predictions,
  probabilities,
  topKAccuracy,
} from '../metrics/classification.ts';
import { confusionMatrix, macroF1 } from '../metrics/confusion.ts';
import * as objectives from '../objective.ts';
import type { Baseline, Mistake, ObjectiveRule, AnswerRule, Report, Score } from '../rule.ts';

const score: Score = { name: 'accuracy', key: 'accuracy', better: 'higher', format: percent };

const measures: readonly Score[] = [
  score,
  { name: 'top-3', key: 'top_3', better: 'higher', format: percent },
  { name: 'F1', key: 'f1', better: 'higher', format: fourDigits },
  { name: 'AUC', key: 'auc', better: 'higher', format: fourDigits },
];

type Shared = Omit<
  ObjectiveRule<'multiclass' | 'binary', ClassificationDataset>,
  'options' | 'create' | 'outputs' | 'average' | 'answers' | 'emitLoss' | 'emitScore' | 'emitAnswer'
>;

const shared: Shared = {
  task: 'classification',
  targets: { dtype: 'int32', shape: () => [] },
  targetsOf: ({ labels, count }) => ({ dtype: 'int32', shape: [count], data: labels }),
  summarize: (_objective, loss, correct, count) => ({ loss, score: correct / count }),
  score,
  measures,
  /** Computes plain cross-entropy, without smoothing or weights, so that runs are comparable. */
  evaluate: (_objective, output, { labels }) => {
    const logits = classLogits(output, labels.length);
    return { loss: crossEntropy(logits, labels), score: accuracy(logits, labels) };
  },
  report,
  mistakes,
  risk: { name: 'log loss', of: (output, { labels, count }) => crossEntropy(classLogits(output, count), labels) },
  baseline,
  expected,
  predictions: {
    header: ({ classes }) => ['expected', 'predicted', ...classes.map((name) => `probability of ${name}`)],
    row: predictionOf,
  },
  output: 'logits',
  answerOf: (output, count) => Float32Array.from(classLogits(output, count).data),
  agreement: {
    answerName: 'logits',
    successText: 'the same class for each, logits',
    errorKind: 'absolute',
    exactPart: (answer) => {
      const k = at(predictions({ data: answer, classes: answer.length }), 0);
      return k < 0 ? 'no class' : `class ${k}`;
    },
  },
};

function report(
  output: Float32Array,
  { labels, classes, count }: ClassificationDataset,
  { threshold }: AnswerRule = {},
): Report {
  const logits = classLogits(output, count);
  const confusion = confusionMatrix(predictions(logits, threshold), labels, classes.length);
  return {
    metrics: {
      accuracy: accuracy(logits, labels, threshold),
      ...(classes.length > 3 && { 'top-3': topKAccuracy(logits, labels, 3) }),
      F1: macroF1(confusion),
      AUC: macroAuc(logits, labels),
    },
    confusion,
    calibration: calibration(logits, labels),
  };
}

/** Returns the sample's class; '' for a sample without a label, whose number is −1. */
function expected({ labels, classes }: ClassificationDataset, sample: number): string {
  return classes[at(labels, sample)] ?? '';
}

/**
 * Returns the label, the answer and the probability of each class; cells are empty where the answer is not a number.
 */
function predictionOf(
  output: Float32Array,
  dataset: ClassificationDataset,
  sample: number,
  { threshold }: AnswerRule = {},
): readonly string[] {
  const { classes, count } = dataset;
  const width = output.length / count;
  const logits = classLogits(output.slice(sample * width, (sample + 1) * width), 1);
  const { data } = probabilities(logits);
  const answer = classes[at(predictions(logits, threshold), 0)] ?? '';
  return [expected(dataset, sample), answer, ...Array.from(data, shortest)];
}

/** Formats a number with six digits, which float32 guarantees. */
const shortest = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : '');

/** Returns the wrong answers, ordered by how improbable the right class was. */
function mistakes(
  output: Float32Array,
  dataset: ClassificationDataset,
  { threshold }: AnswerRule = {},
): readonly Mistake[] {
  const { labels, classes, count } = dataset;
  const logits = classLogits(output, count);
  const predicted = predictions(logits, threshold);
  const { data } = probabilities(logits);
  // A class that the network does not know, and a sample without a label, whose number is −1, have the probability 0.
  const probabilityOf = (sample: number, k: number) =>
    k >= 0 && k < logits.classes ? present(data[sample * logits.classes + k]) : 0;
  return [...labels.keys()]
    .filter((sample) => predicted[sample] !== labels[sample])
    .sort((a, b) => probabilityOf(a, present(labels[a])) - probabilityOf(b, present(labels[b])))
    .map((sample) => {
      const answer = at(predicted, sample);
      const detail = `${(100 * probabilityOf(sample, answer)).toFixed(1)} %`;
      return { sample, expected: expected(dataset, sample), got: classes[answer] ?? '', detail };
    });
}

/**
 * Returns the most frequent class of the training part, and the first of equals. Its risk is that of the classes'
 * shares there, with one more sample of each class.
 */
function baseline(train: ClassificationDataset, test: ClassificationDataset): Baseline {
  const counts = countLabels(train.labels, train.classes.length);
  const mostFrequent = counts.reduce((best, count, k) => (count > at(counts, best) ? k : best), 0);
  const answer = at(train.classes, mostFrequent);
  const hits = test.labels.filter((label) => test.classes[label] === answer).length;
  const known = test.classes.map((name) => counts[train.classes.indexOf(name)] ?? 0);
  const shareOf = (label: number) => (at(known, label) + 1) / (train.count + counts.length);
  const surprise = Array.from(test.labels, (label) => -Math.log(shareOf(label))).reduce((sum, each) => sum + each, 0);
  return { answer: JSON.stringify(answer), score: hits / test.count, risk: surprise / test.count };
}

const all = (g: GraphBuilder, values: Value): Value =>
  g.ints(Array.from({ length: values.shape.length }, (_, axis) => axis));

const countOf = (g: GraphBuilder, hits: Value): Value => {
  const ones = g.Cast(hits, { to: 'float32' });
  return g.ReduceSum(ones, all(g, ones), { keepdims: 0 });
};

export const multiclass: ObjectiveRule<'multiclass', ClassificationDataset> = {
  ...shared,
  options: ['labelSmoothing', 'balanceClasses'],
  create: ({ labelSmoothing, balanceClasses }, dataset) =>
    objectives.multiclass({
      labelSmoothing,
      classWeights: balanceClasses ? [...classWeights(dataset)] : undefined,
    }),
  outputs: (classes) => classes,
  average: 'softmax',
  emitLoss: (g, objective, output, labels) => {
    const [loss, log_prob] = g.SoftmaxCrossEntropyLoss(output, labels, { reduction: 'mean' });
    if (objective.labelSmoothing === 0 && !objective.classWeights) return loss;
    // L = −1/B Σ over samples Σ over classes t · log softmax(output), where t is the row of the label.
    const table = g.initializer('targets', targetTable(objective, known('classes', output.shape[1])));
    const targets = g.Gather(table, labels, { axis: 0 });
    const sum = g.ReduceSum(g.Mul(targets, log_prob), g.ints([0, 1]), { keepdims: 0 });
    return g.Div(g.Neg(sum), g.scalar(known('the mini-batch', output.shape[0])));
  },
  emitScore: (g, _objective, output, labels) =>
    countOf(g, g.Equal(g.ArgMax(output, { axis: 1, keepdims: 0 }), g.Cast(labels, { to: 'int64' }))),
  answers: (outputs) => outputs,
  emitAnswer: (_g, output) => output,
};

/** Returns the target probabilities for each label, times the weight of the class: `[K, K]`. */
function targetTable(
  { labelSmoothing, classWeights }: objectives.ObjectiveSettings['multiclass'],
  K: number,
): Tensor<'float32'> {
  const data = Float32Array.from({ length: K * K }, (_, i) => {
    const [label, k] = [Math.floor(i / K), i % K];
    const probability = labelSmoothing / K + (label === k ? 1 - labelSmoothing : 0);
    return probability * (classWeights ? at(classWeights, label) : 1);
  });
  return { dtype: 'float32', shape: [K, K], data };
}

/** Reshapes the labels to a column like the logit's: `[B] -> [B, 1]`. */
const column = (g: GraphBuilder, labels: Value): Value => g.Cast(g.Reshape(labels, g.ints([-1, 1])), { to: 'float32' });

export const binary: ObjectiveRule<'binary', ClassificationDataset> = {
  ...shared,
  classes: 2,
  options: [],
  create: objectives.binary,
  outputs: () => 1,
  average: 'sigmoid',
  // −y ln σ(z) − (1 − y) ln(1 − σ(z)) = softplus(z) − y z
  emitLoss: (g, _objective, z, labels) => {
    const loss = g.Sub(g.Softplus(z), g.Mul(column(g, labels), z));
    return g.ReduceMean(loss, all(g, loss), { keepdims: 0 });
  },
  emitScore: (g, _objective, z, labels) =>
    countOf(g, g.Equal(g.Cast(g.Greater(z, g.scalar(0)), { to: 'float32' }), column(g, labels))),
  answers: () => 2,
  /** Emits (0, z), whose softmax is (1 − σ(z), σ(z)), so that a client need not know the objective. */
  emitAnswer: (g, z) => g.Pad(z, g.ints([0, 1, 0, 0]), { mode: 'constant' }),
};
