/**
 * The direction of every claim, from quick runs: fewer repeats and steps than the report's. What is no matter of rounding is
 * compared by two standard errors of the run's own repeats (`clearlyBelow`), so the tolerance is theirs.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { experiments, runExperiment } from '../../training/experiments/index.ts';

const models = join(import.meta.dirname, '../../models');

/** By experiment: findings that a quick run decides, and whether they speak for the claim. */
const expected: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {};

/** Findings about float32's rounding, the same in every run. */

describe.each(experiments)('the experiment $name', (experiment) => {
  let findings: ReadonlyMap<string, { readonly holds: boolean; readonly text: string }>;

  beforeAll(async () => {
    const { results } = await runExperiment(experiment, { quick: true, models });
    // What the report reads is JSON.
    const described = experiment.describe(JSON.parse(JSON.stringify(results)));
    findings = new Map(described.findings.map((finding) => [finding.id, finding]));
  });

  it.each(Object.entries(expected[experiment.name] ?? {}))('finds that "%s" is %s', (id, holds) => {
    const finding = findings.get(id);
    expect(finding?.holds, finding?.text ?? `no finding ${id}`).toBe(holds);
  });
});
