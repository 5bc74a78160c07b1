/** Turns a model's output into labels: the class of each sample, and how sure the model is of it. */
import type { CountRun } from '../drift/monitor.ts';
import { quote, RequestError } from '../errors.ts';
import type { OutputKind } from '../image.ts';
import type { Model } from '../models.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import { runWith, statisticsNote } from '../protocol/infer.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { ClassifyOptions } from '../protocol/protocol.ts';
import type { ClassifyResponse, Prediction } from '../protocol/responses.ts';
import type { Samples } from '../protocol/samples.ts';
import { valuesOf } from './answer.ts';
import { chosenClass, labelsThatApply, probabilitiesOf, type Read, predictedClassOf } from './kinds.ts';

/** @throws RequestError when the model does not predict classes; InferenceError */
export async function classify(
  model: Model,
  samples: Samples,
  options: ClassifyOptions,
  countRun?: CountRun,
): Promise<ClassifyResponse> {
  const classes = requireClasses(model);
  checkOutputs(classes, samples);
  const { run, statistics } = runWith(model, options.statistics, countRun);
  const outputs = run(samples.feeds, [classes.output]);
  const answers = predictions(model, classes, outputs, options.top_k);
  const pictures = options.image ? await samples.pictures() : [];
  return {
    model_name: model.name,
    model_version: model.version,
    ...(samples.id !== undefined && { id: samples.id }),
    statistics,
    ...(statistics === 'batch' && { note: statisticsNote(model, samples.batch) }),
    predictions: answers.map((answer, i) => ({ ...answer, ...(pictures[i] !== undefined && { image: pictures[i] }) })),
  };
}

/** @throws RequestError when the request names another output than the one that gives the class */
export function checkOutputs({ output }: Classes, { outputs = [] }: Pick<Samples, 'outputs'>): void {
  const other = outputs.find((name) => name !== output);
  if (other === undefined) return;
  const expected = `expected ${quote(output)}, which the classes are read from`;
  throw new RequestError('malformed', `outputs: ${expected}, got ${quote(other)}: use infer for others`);
}

/** Names the output that gives a sample's class, and how it is read. */
export interface Classes {
  readonly output: string;
  readonly kind: OutputKind;
}

/**
 * Returns `undefined` when the model does not predict classes, or neither its card nor its file says what its output
 * means.
 */
export function classesOf({ output }: Model): Classes | undefined {
  return output && output.kind !== 'number' ? { output: output.name, kind: output.kind } : undefined;
}

function requireClasses(model: Model): Classes {
  const classes = classesOf(model);
  if (classes) return classes;
  const { name, path, output } = model;
  const got = output
    ? `${name} predicts a ${output.kind}: use predict (POST /v1/models/${name}:predict) or infer`
    : `${name} does not say what its output is: set "output": {"name": …, "kind": "logits", "probabilities" or "class"} in models/${path}/card.json and build again`;
  throw new RequestError('not found', `classify: expected a model for classes, ${got}`);
}

/**
 * Returns one prediction per sample, with the most probable classes first; of equal ones the first comes first.
 * @throws RequestError when the output has another shape than `[N, classes]` or `[N]`
 */
export function predictions(
  model: Model,
  { output, kind }: Classes,
  outputs: ReadonlyMap<string, Tensor>,
  topK: number,
): Prediction[] {
  const { labels } = model;
  const probabilities = probabilitiesOf[kind];
  return valuesOf('classify', model.name, output, outputs).map((values) => {
    if (!values.every(Number.isFinite)) return kind === 'multi-label' ? { ...noAnswer, labels: null } : noAnswer;
    return probabilities ? rank(probabilities(values), model, topK, kind) : { ...chosenClass(values, labels), top: [] };
  });
}

/** The prediction for NaN and infinities, which belong to no class. */
const noAnswer: Prediction = { label: null, probability: null, top: [], warnings: ['not a number'] };

function rank(probabilities: readonly number[], model: Read, topK: number, kind: OutputKind): Prediction {
  const named = probabilities.map((probability, index) => ({
    label: model.labels?.[index] ?? String(index),
    index,
    probability,
  }));
  const applying = labelsThatApply(
    kind,
    named.map(({ label, probability }) => [label, probability]),
    model,
  );
  const top = named
    .toSorted((a, b) => b.probability - a.probability)
    .slice(0, topK)
    .map((ranked) => ({ ...ranked, probability: toFloatDigits(ranked.probability) }));
  const answer = kind === 'multi-label' ? top[0] : named[predictedClassOf(probabilities, model)];
  const { label = null, probability = null } = answer ?? {};
  const best = { label, probability: probability === null ? null : toFloatDigits(probability), top };
  return applying ? { ...best, labels: applying } : best;
}
