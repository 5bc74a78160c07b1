/**
 * What an experiment is: a claim about Batch Norm, the measurement that tests it, and what the numbers say.
 *
 * Measuring and describing are apart, joined by plain numbers that are stored as JSON: the report is drawn from those alone,
 * so that no sentence or figure can show anything that was not measured.
 */
import type { Figure } from './report/figure.ts';
import type { Lab } from './lab/lab.ts';

export interface ExperimentOf<Results> {
  /** Of the command and of the file. */
  readonly name: string;
  readonly title: string;
  /** As the course notes state it. */
  readonly claim: string;
  readonly measure: (lab: Lab) => Promise<Results>;
  readonly describe: (results: Results) => Description;
}

/** Texts are prose as `report/prose.ts` reads it: with `$formulas$`, `*stress*` and `[links](https://…)`. */
export interface Description {
  /** What was run. */
  readonly method: readonly string[];
  readonly findings: readonly Finding[];
  readonly figures: readonly Figure[];
}

/** One statement that the numbers bear out, which may well be the opposite of the claim. */
export interface Finding {
  readonly id: string;
  /** Whether it speaks for the claim. */
  readonly holds: boolean;
  readonly text: string;
}

/** An experiment whose results have become plain JSON. */
export type Experiment = ExperimentOf<unknown>;

/** Lets an experiment use its own results' type, and the report not know it. */
export const experiment = <Results>(definition: ExperimentOf<Results>): Experiment => ({
  ...definition,
  describe: (results) => definition.describe(results as Results),
});

/** @param otherwise what to say when it does not hold */
export const finding = (id: string, holds: boolean, text: string, otherwise: string): Finding => ({
  id,
  holds,
  text: holds ? text : otherwise,
});
