/**
 * Quick runs, with fewer repeats and steps than the report's, confirm the direction of every claim. Findings that are
 * not only a matter of rounding are compared by two standard errors of the run's own repeats (`clearlyBelow`), so the
 * tolerance comes from these.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { experiments, runExperiment } from '../../docs/experiments/index.ts';

/** The time limit in milliseconds, for a busy machine. */
const patience = 300_000;

const models = join(import.meta.dirname, '../../models');

/** Maps each experiment to the findings that a quick run decides, and to whether they support the claim. */
const expected: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {
  'input-normalization': {
    rounder: true,
    'one-mean-is-not-enough': false,
    'faster-mnist-mlp-without-Batch-Norm': true,
  },
  'faster-training': { 'depth-5': true, rates: true },
  // These hold to float32's precision.
  identity: { exact: true, learned: true },
  'superfluous-bias': { 'zero-gradient': true, 'no-change': true, parameters: true, order: true },
  gradients: { formula: true, autodiff: true },
  optimizers: { works: true, forgives: true },
  // The distribution is steadier, but that does not protect from shifted images: Santurkar et al. 2018.
  'covariate-shift': { steadier: true, 'shifted-images': false },
  regularization: { noise: true },
  'test-time': { needed: true, 'average-is-enough': true, converges: true, folds: true },
  neighbours: { 'running-ONNX Runtime': true, 'batch-ONNX Runtime': true },
  recalibration: { repairs: true, 'not-everything': true },
};

describe.each(experiments)('the experiment $name', (experiment) => {
  let findings: ReadonlyMap<string, { readonly holds: boolean; readonly text: string }>;

  beforeAll(async () => {
    const { results } = await runExperiment(experiment, { quick: true, models });
    // The report reads the results from JSON.
    const described = experiment.describe(JSON.parse(JSON.stringify(results)));
    findings = new Map(described.findings.map((finding) => [finding.id, finding]));
  }, patience);

  it.each(Object.entries(expected[experiment.name] ?? {}))('finds that "%s" is %s', (id, holds) => {
    const finding = findings.get(id);
    expect(finding?.holds, finding?.text ?? `no finding ${id}`).toBe(holds);
  });
});
