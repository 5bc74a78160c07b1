/** The command `bn-edge recalibrate`, with its help. */
import { Option } from 'commander';
import { type Backend, type BackendName, backendNames, createBackend } from '../../training/backend/index.ts';
import { type DataSource, sourceName } from '../../training/data/index.ts';
import { unexpected, UserError } from '../../training/files/index.ts';
import { modelSignature } from '../../training/graph/index.ts';
import { objectiveRuleOf, type Report, reportOn, type Score } from '../../training/objective/index.ts';
import { answersOfModel, evaluate, reshaped } from '../../training/run/index.ts';
import { type AnswerChanges, changesOf, fewSamples, skewedClasses, undecided } from '../recalibration/answers.ts';
import {
  type Facts,
  measurableModel,
  type MeasurableModel,
  formerEntropyOf,
  writeVersion,
} from '../recalibration/recalibrate.ts';
import { type Estimate, estimateStatistics, type Moved, movedBy } from '../recalibration/statistics.ts';
import { knownOf } from '../store/known.ts';
import { backendFor, servedFile } from '../store/served-file.ts';
import { versionOf } from '../store/versions.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';
import { addModelsOption } from './models-option.ts';
import { atLeastZero } from './option-values.ts';
import { type StageLine, stageLine } from './stage.ts';
import { type Answer, completeCommand, type Subcommand } from './subcommand.ts';
import { describeRecalibration } from './describe-recalibration.ts';

interface Flags extends DataFlags {
  readonly models: string;
  readonly prior: number;
  readonly force?: boolean;
  readonly backend?: BackendName;
}

export const recalibrate: Subcommand = {
  configure: (command) => {
    addModelsOption(command.usage('[options] <model>').argument('[model]', 'its name in models/'))
      .option('--prior <n>', 'how many samples the former statistics count for; 0: for nothing', atLeastZero, 0)
      .option('--force', 'write the version in spite of all objections')
      .addOption(new Option('--backend <name>', 'where it runs (default: native)').choices(backendNames));
    addDataOptions(command);
    completeCommand<Flags>(command, page, run);
    return undefined;
  },
};

async function run(flags: Flags, name: string | undefined): Promise<Answer> {
  const { source, others } = takeDataSource(flags);
  const { models, prior, force = false, backend } = others;
  if (name === undefined) {
    throw new UserError(
      'recalibrate: expected a model, such as bn-edge recalibrate churn --data march.csv; --help lists all',
    );
  }
  if (!source) {
    throw unexpected('recalibrate --data', 'samples of what the model is asked now; no labels are needed', 'none');
  }
  using stage = stageLine('recalibrate');
  const measurable = await measurableModel(models, name);
  for (const note of measurable.notes) stage.print(note);
  const measured = await measure(measurable, { source, prior, backend }, stage);
  const { facts, changes, score } = measured;
  stage.clear();
  console.log(describeRecalibration(facts, changes, score));
  if (facts.layers.every(isStill)) {
    throw new UserError(`recalibrate: nothing was written: ${name} has these statistics already`);
  }
  const objections = objectionsTo(measured, measurable);
  for (const objection of objections) stage.print(`${force ? 'in spite of' : 'objection'}: ${objection}`);
  if (objections.length > 0 && !force) {
    const count = objections.length === 1 ? 'one objection' : `${objections.length} objections`;
    throw new UserError(`recalibrate: nothing was written: ${count}; --force writes the version all the same`);
  }
  const version = await writeVersion(models, name, measurable, measured.statistics, facts, measured.backend);
  const former = versionOf(measurable.files);
  const folder = models === 'models' ? '' : ` --models ${models}`;
  const kept = `version ${former} is kept beside it: npx bn-edge rollback ${name}${folder} --local goes back`;
  console.log(`wrote           ${measurable.folder} version ${version}; ${kept}`);
  return { name, version, from: former, ...facts, changes, objections };
}

interface Measured {
  readonly statistics: Estimate['statistics'];
  readonly facts: Facts;
  readonly changes: AnswerChanges;
  /** `score` is what the model is judged by. */
  readonly score: Score;
  readonly classes: readonly string[];
  /** The mean entropy of the former answers, in nats; undefined if it is not known. */
  readonly formerEntropy: number | undefined;
  readonly backend: Backend;
}

interface Asked {
  readonly source: DataSource;
  readonly prior: number;
  readonly backend: BackendName | undefined;
}

async function measure(
  measurable: MeasurableModel,
  { source, prior, backend: asked }: Asked,
  stage: StageLine,
): Promise<Measured> {
  const { path, layers } = measurable.subject;
  const served = await servedFile(path);
  const known = await knownOf(path, served);
  const backendName = asked ?? backendFor(path, served, stage.print);
  const backend = await createBackend(backendName, {}, stage.print);
  const before = await evaluate(
    { model: path, bytes: served.bytes, known, data: source, backend: backendName, needsLabel: false, part: 'all' },
    stage.print,
    stage.show,
  );
  const { samples, objective } = before;
  const [, ...shape] = modelSignature(served.bytes).inputs[0]?.shape ?? [];
  const given = reshaped(samples, shape)?.samples;
  if (!given) throw unexpected(path, `samples [${shape.join(', ')}]`, `[${samples.inputShape.join(', ')}]`);
  const { statistics, bytes } = await estimateStatistics(measurable.subject, given, backend, prior, stage.show);
  stage.show('ask the model with the new statistics');
  const after = await answersOfModel({ path, known: known.output, content: bytes }, samples, backend);
  const changes = changesOf(samples, before.answers, after);
  const { score } = objectiveRuleOf(objective);
  const scores = before.isLabelled ? scoresOf(score, before.report, reportOn(samples, after, objective)) : undefined;
  return {
    statistics,
    facts: {
      data: sourceName(source),
      samples: samples.count,
      prior,
      ...(scores && { score: scores }),
      ...(changes.kind === 'classes' && { agreement: changes.agreement }),
      layers: layers.map((layer) => movedBy(layer, statistics.get(layer.output))),
    },
    changes,
    score,
    classes: samples.task === 'classification' ? samples.classes : [],
    formerEntropy: await formerEntropyOf(measurable, backend),
    backend,
  };
}

/** Returns the reasons not to write the new version: the known signs of failure, and what labels show. */
function objectionsTo(
  { facts, changes, classes, formerEntropy, score: { better } }: Measured,
  { card }: MeasurableModel,
): readonly string[] {
  const { samples, prior, score } = facts;
  const isWorse = score && (better === 'higher' ? score.after < score.before : score.after > score.before);
  return [
    fewSamples(samples, prior),
    skewedClasses(changes, samples, classes, card.training?.data.classShares),
    undecided(changes, formerEntropy),
    isWorse ? `${score.name} gets worse on these samples` : undefined,
  ].filter((objection) => objection !== undefined);
}

/** Relative to a standard deviation: float32 rounds smaller differences away. */
const STILL = 1e-5;

const isStill = ({ mean, variance: { smallest, largest } }: Moved): boolean =>
  [mean.largest, Math.log(smallest), Math.log(largest)].every((moved) => Math.abs(moved) < STILL);

/** Returns both scores; undefined if one of the models answers no sample with a number. */
function scoresOf({ name }: Score, before: Report, after: Report): Facts['score'] {
  const { [name]: former } = before.metrics;
  const { [name]: fresh } = after.metrics;
  return former === undefined || fresh === undefined ? undefined : { name, before: former, after: fresh };
}

const page = {
  description: 'Measure the running statistics of a model again, on samples of what it is asked now.',
  notes: `The samples need no labels; with them the score is printed before and after. The
weights stay. The new version takes the place of the former, which is kept: an
answer depends on its own sample alone, as before. It is refused where it is
known to fail: few samples, or samples of few classes.`,
  examples: ['bn-edge recalibrate digits --data new-scanner/', 'bn-edge recalibrate churn --data march.csv --prior 64'],
} as const;
