/** Asks about rows of a table, by the names of their columns. */
import { answerOfRow, type Answer, type RowPrediction, scoreIn } from '../../api/answer.ts';
import { type Column, type Model, pathOf } from '../../api/model.ts';
import { type Call, send } from '../../api/request.ts';
import { make, makeSvg } from '../../dom.ts';
import type { Input, InputKind, Neighbour, Question } from '../question.ts';
import { createCurve } from './curve.ts';
import { createForm } from './form.ts';
import { randomRow, type Row, sequence, shareOf } from './row.ts';
import { createWhy, type Explained } from './why.ts';

export const rows: InputKind<Row> = { noun: 'row', title: 'A row', create, explain, neighbours };

const columnsOf = ({ parameters: { columns = [] } }: Model) => columns;

function create(model: Model, ask: (question: Question<Row>) => void): Input {
  const columns = columnsOf(model);
  const form = createForm(columns, changed, (column) => {
    curve.choose(column);
  });
  const curve = createCurve(model, (sent) => answersTo(model, sent));
  const why = model.parameters.explains_rows ? createWhy((asked) => explanationOf(model, asked)) : undefined;
  let row = form.row();
  function changed(): void {
    row = form.row();
    ask(questionOf(model, row));
  }
  return {
    root: form.root,
    under: { input: why ? [why.root] : [], answer: [curve.root] },
    start: changed,
    answered: (answer) => {
      curve.show(row, answer);
      why?.show(row);
    },
  };
}

const predictCall = (model: Model, instances: readonly Row[]): Call => ({
  path: `${pathOf('v1', model)}:predict`,
  body: { kind: 'json', value: { instances } },
});

function answersIn({ parameters: { labels } }: Model, response: unknown): readonly Answer[] {
  const { predictions } = response as { readonly predictions: readonly RowPrediction[] };
  return predictions.map((prediction) => answerOfRow(prediction, labels));
}

function questionOf(model: Model, row: Row): Question<Row> {
  return {
    call: predictCall(model, [row]),
    read: (response) => {
      const [answer] = answersIn(model, response);
      if (!answer) throw new Error('internal: no answer to the row');
      return answer;
    },
    sampleIn: () => Promise.resolve(row),
  };
}

const answersTo = async (model: Model, sent: readonly Row[]): Promise<readonly Answer[]> =>
  answersIn(model, await send(predictCall(model, sent)));

async function explanationOf(model: Model, row: Row): Promise<Explained | undefined> {
  const value = { instances: [row], parameters: { explain: true } };
  const response = await send({ ...predictCall(model, []), body: { kind: 'json', value } });
  const { predictions } = response as { readonly predictions: readonly { readonly explanation?: Explained }[] };
  return predictions[0]?.explanation;
}

function explain(model: Model, samples: readonly Row[]): Call {
  return { path: `${pathOf('v2', model)}/explain`, body: { kind: 'json', value: { instances: samples } } };
}

const POOL = 60;
const SEED = 7;

/** Returns random rows, sorted by what the model answers to each. */
async function neighbours(model: Model): Promise<readonly Neighbour<Row>[]> {
  const columns = columnsOf(model);
  const random = sequence(SEED);
  const made = Array.from({ length: POOL }, () => randomRow(columns, random));
  const answers = await answersTo(model, made);
  const order = model.parameters.labels ?? [];
  return made
    .map((sample, i) => ({ sample, answer: answers[i] }))
    .toSorted((a, b) => placeOf(a.answer, order) - placeOf(b.answer, order))
    .map(({ sample, answer }, i) => ({
      sample,
      picture: make('span', {}, drawRow(columns, sample)),
      kind: answer?.kind === 'classes' ? (answer.label ?? 'none') : i < POOL / 2 ? 'low answers' : 'high answers',
    }));
}

function placeOf(answer: Answer | undefined, order: readonly string[]): number {
  if (!answer) return 0;
  if (answer.kind !== 'classes') return scoreIn(answer, null);
  return order.indexOf(answer.label ?? '') - scoreIn(answer, answer.label) / 2;
}

const MAX_DRAWN = 12;

/** Draws a row so small that sixty fit: a bar for each column, as high as its value stands in what training saw. */
function drawRow(columns: readonly Column[], row: Row): SVGSVGElement {
  const shown = columns.slice(0, MAX_DRAWN);
  const bars = shown.map((column, i) => {
    const share = shareOf(column, row[column.name]);
    const height = Number.isNaN(share) ? 0 : 1 + 8 * Math.min(Math.max(share, 0), 1);
    return makeSvg('rect', { x: i + 0.15, y: 10 - height, width: 0.7, height });
  });
  return makeSvg('svg', { viewBox: `0 0 ${shown.length} 10`, preserveAspectRatio: 'none', class: 'glyph' }, ...bars);
}
