/** Tests claim 6: Batch Norm works with mini-batches and with momentum, RMSprop and Adam. */
import { at } from '../../../training/arrays/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import type { OptimizerName } from '../../../training/optimizer/index.ts';
import { createEvaluator } from '../../../training/trainer/index.ts';
import { experiment, finding } from '../experiment.ts';
import { firstOf, type Lab } from '../lab/lab.ts';
import { mlp } from '../lab/networks.ts';
import { pairs } from '../lab/range.ts';
import { clearlyBelow, mean } from '../lab/statistics.ts';
import { trained } from '../lab/training.ts';
import { type Panel, panel, repeats, type Series, without, withNorm, summarize } from '../report/figure.ts';
import { list, number, percent, percentSpread } from '../report/format.ts';

const optimizers = ['sgd', 'momentum', 'rmsprop', 'adam'] as const satisfies readonly OptimizerName[];
type Chosen = (typeof optimizers)[number];

/** Lists learning rates around the rate that each optimizer is commonly given. */
const rates: { readonly [O in Chosen]: readonly number[] } = {
  sgd: [0.003, 0.03, 0.3, 3],
  momentum: [0.0003, 0.003, 0.03, 0.3],
  rmsprop: [0.0001, 0.001, 0.01, 0.1],
  adam: [0.0001, 0.001, 0.01, 0.1],
};

const titles: { readonly [O in Chosen]: string } = {
  sgd: 'gradient descent',
  momentum: 'momentum 0.9',
  rmsprop: 'RMSprop',
  adam: 'Adam',
};

interface Run {
  readonly optimizer: Chosen;
  readonly batchNorm: boolean;
  readonly learningRate: number;
  readonly seed: number;
  readonly accuracy: number;
}

interface Results {
  readonly steps: number;
  readonly images: number;
  readonly runs: readonly Run[];
}

async function measure(lab: Lab): Promise<Results> {
  const steps = lab.pick(430, 80);
  const test = firstOf(lab.data.test, lab.pick(5000, 1000));
  const settings = pairs(optimizers, [true, false]).flatMap(([optimizer, batchNorm]) =>
    rates[optimizer]
      .filter((_, i) => !lab.quick || i % 2 === 1)
      .map((learningRate) => ({ optimizer, batchNorm, learningRate })),
  );
  const runs = await lab.each(pairs(settings, lab.seeds(3, 2)), async ([setting, seed]): Promise<Run> => {
    const network = mlp(setting);
    const tensors = await trained(lab, network, { ...setting, seed, steps });
    const evaluator = await createEvaluator(lab.backend, planNetwork(network));
    return { ...setting, seed, accuracy: (await evaluator.evaluate(tensors, test)).score };
  });
  return { steps, images: test.count, runs };
}

export const optimizerGrid = experiment<Results>({
  name: 'optimizers',
  title: 'With mini-batches, momentum, RMSprop and Adam',
  claim: 'Batch Norm works with mini-batches and with any optimizer: gradient descent, momentum, RMSprop, Adam.',
  consequence:
    'Choose the optimizer for other reasons. With Batch Norm, a learning rate that is ten times off costs much less.',
  measure,
  describe: ({ steps, images, runs }) => ({
    method: [
      `\`mnist-mlp\` with and without Batch Norm, ${number(steps, 4)} mini-batches of 64, with each optimizer at ${list([...new Set(optimizers.map((optimizer) => String(ratesOf(runs, optimizer).length)))])} learning rates a factor of ten or more apart, ${new Set(runs.map(({ seed }) => seed)).size} seeds each; then ${number(images, 5)} test images.`,
    ],
    findings: [works(runs), forgives(runs)],
    figures: [
      {
        caption: `Test accuracy after ${number(steps, 4)} steps by learning rate, mean and standard deviation. Guessing is right in ${percent(0.1, 0)} of all cases.`,
        legend: [withNorm, without],
        panels: optimizers.map((optimizer) => optimizerPanel(optimizer, runs)),
      },
    ],
  }),
});

const ratesOf = (runs: readonly Run[], optimizer: Chosen): readonly number[] => [
  ...new Set(runs.filter((run) => run.optimizer === optimizer).map(({ learningRate }) => learningRate)),
];

const accuracies = (runs: readonly Run[], optimizer: Chosen, batchNorm: boolean, learningRate: number) =>
  runs
    .filter((run) => run.optimizer === optimizer && run.batchNorm === batchNorm && run.learningRate === learningRate)
    .map(({ accuracy }) => accuracy);

/** Returns the accuracies at the rate with the best mean. */
function best(runs: readonly Run[], optimizer: Chosen, batchNorm: boolean): readonly number[] {
  const candidates = ratesOf(runs, optimizer).map((rate) => accuracies(runs, optimizer, batchNorm, rate));
  return at(
    candidates.toSorted((a, b) => mean(b) - mean(a)),
    0,
  );
}

function works(runs: readonly Run[]) {
  const pairsOf = optimizers.map((optimizer) => [best(runs, optimizer, true), best(runs, optimizer, false)] as const);
  const text = optimizers
    .map(
      (optimizer, i) =>
        `${titles[optimizer]}: ${percentSpread(at(pairsOf, i)[0])} (without ${percentSpread(at(pairsOf, i)[1])})`,
    )
    .join('; ');
  return finding(
    'works',
    pairsOf.every(([norm, plain]) => !clearlyBelow(norm, plain)),
    `It works with each of them; nowhere is Batch Norm clearly worse. Accuracy at the best rate, ${text}.`,
    `It does not help with each of them. Accuracy at the best rate, ${text}.`,
  );
}

/** Tests whether Batch Norm forgives a wrong rate: compares the accuracies at the worst of the rates. */
function forgives(runs: readonly Run[]) {
  const worst = (optimizer: Chosen, batchNorm: boolean) =>
    at(
      ratesOf(runs, optimizer)
        .map((rate) => accuracies(runs, optimizer, batchNorm, rate))
        .toSorted((a, b) => mean(a) - mean(b)),
      0,
    );
  const compared = optimizers.map((optimizer) => {
    const [norm, plain] = [worst(optimizer, true), worst(optimizer, false)];
    const text = `${titles[optimizer]}: ${percentSpread(norm)} (without ${percentSpread(plain)})`;
    return { better: clearlyBelow(plain, norm), text };
  });
  const text = `At the worst of the rates, ${compared.map(({ text }) => text).join('; ')}`;
  return finding(
    'forgives',
    compared.every(({ better }) => better),
    `It also forgives a badly chosen rate with each of them. ${text}.`,
    `It does not forgive a badly chosen rate with each of them. ${text}.`,
  );
}

function optimizerPanel(optimizer: Chosen, runs: readonly Run[]): Panel {
  const of = (batchNorm: boolean, series: Series) => {
    const own = runs.filter((run) => run.optimizer === optimizer && run.batchNorm === batchNorm);
    return repeats(summarize(own.map(({ learningRate, accuracy }) => ({ x: learningRate, y: accuracy }))), series);
  };
  return panel({
    title: titles[optimizer],
    alt: `Test accuracy by learning rate with ${titles[optimizer]}`,
    height: 220,
    x: { type: 'log', label: 'learning rate', tickFormat: String, ticks: 4 },
    y: { label: 'accuracy', grid: true, domain: [0, 1], tickFormat: (share: number) => percent(share, 0) },
    marks: [of(false, without), of(true, withNorm)],
  });
}
