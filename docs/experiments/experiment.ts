/**
 * Defines an experiment: a claim about Batch Norm, the measurement that tests it, and what the numbers say.
 *
 * Measuring and describing are separate, joined by plain numbers that are stored as JSON. The report is drawn from
 * those alone, so that no sentence or figure can show anything that was not measured.
 */
import type { Figure } from './report/figure.ts';
import type { Lab } from './lab/lab.ts';

export interface ExperimentOf<Results> {
  /** Names the experiment in the command and in the file of its numbers. */
  readonly name: string;
  readonly title: string;
  /** States the claim as the course notes do. */
  readonly claim: string;
  /** States in a sentence or two what follows for training or serving a network. */
  readonly consequence: string;
  readonly measure: (lab: Lab) => Promise<Results>;
  readonly describe: (results: Results) => Description;
}

/**
 * Describes the results. Texts are prose as `report/prose.ts` reads it: with `$formulas$`, `*stress*` and
 * `[links](https://…)`.
 */
export interface Description {
  /** Describes what was run. */
  readonly method: readonly string[];
  readonly findings: readonly Finding[];
  readonly figures: readonly Figure[];
}

/** A statement that the numbers bear out, which may well be the opposite of the claim. */
export interface Finding {
  readonly id: string;
  /** Is true when the statement speaks for the claim. */
  readonly holds: boolean;
  readonly text: string;
}

/** An experiment with results of any type, as plain JSON. */
export type Experiment = ExperimentOf<unknown>;

/** Defines an experiment, which uses the type of its own results while the report does not know it. */
export const experiment = <Results>(definition: ExperimentOf<Results>): Experiment => ({
  ...definition,
  describe: (results) => definition.describe(results as Results),
});

/** @param otherwise the text when it does not hold */
export const finding = (id: string, holds: boolean, text: string, otherwise: string): Finding => ({
  id,
  holds,
  text: holds ? text : otherwise,
});
