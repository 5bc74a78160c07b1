/** Compares the file with named columns, on made-up rows, with the network and the row preparation that serves. */
import type * as ort from 'onnxruntime-node';
import { importNative } from '../../training/backend/index.ts';
import type { TrainedModel } from '../../training/checkpoint/index.ts';
import { type Column, rowPreparer } from '../../training/columns/index.ts';
import { releasing, UserError } from '../../training/files/index.ts';
import { inputNameOf, outputKindOf, outputNameOf } from '../model/inference-graph.ts';

export interface RowsCompared {
  readonly rows: number;
  /** The difference of probabilities; that of numbers is relative to the largest one. */
  readonly largestDifference: number;
}

const ROWS = 256;
const TOLERANCE = 1e-5;

type Value = number | string | null;

/** A file that takes columns. */
interface ColumnsFile {
  readonly bytes: Uint8Array;
  /** The output with probabilities or numbers. */
  readonly answer: string;
}

/**
 * @param plain the file that takes prepared rows
 * @throws UserError for the first row whose answer differs
 */
export async function compareRows(
  plain: Uint8Array,
  file: ColumnsFile,
  model: TrainedModel,
  columns: readonly Column[],
): Promise<RowsCompared> {
  const ort = await importNative('export');
  const rows = Array.from({ length: ROWS }, (_, row) => columns.map((column, at) => madeUp(column, row * 7 + at)));
  const expected = sharesOf(await answersTo(ort, plain, model, columns, rows), model);
  const got = await answersToColumns(ort, file, columns, rows);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), Number.MIN_VALUE);
  const scale = outputKindOf(model) === 'number' ? largest : 1;
  let largestDifference = 0;
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(value - (got[i] ?? NaN)) / scale;
    if (!(difference <= TOLERANCE)) {
      const row = Math.floor(i / (expected.length / ROWS));
      throw new UserError(
        `export --inputs columns: made-up row ${JSON.stringify(rows[row])}: expected ${value}, got ${got[i] ?? 'nothing'}`,
      );
    }
    largestDifference = Math.max(largestDifference, difference);
  }
  return { rows: ROWS, largestDifference };
}

/** Makes up a value that the column takes, and sometimes a gap, if the column allows gaps. */
function madeUp(column: Column, seed: number): Value {
  if (column.fill !== null && seed % 5 === 0) return null;
  switch (column.kind) {
    case 'numeric':
      return Math.fround((column.fill ?? 1) * (1 + Math.sin(seed)) + Math.cos(3 * seed));
    case 'categorical':
      return column.categories[seed % column.categories.length] ?? null;
    case 'date': {
      const { years, parts } = column;
      const hours = (seed * 86_399) % (366 * 24);
      const date = new Date(Date.UTC(years[0] + (seed % (years[1] - years[0] + 3)), 0, 1, hours, seed % 60, seed % 59));
      const text = date.toISOString().slice(0, 19);
      return parts.includes('hour') || seed % 2 === 0 ? text : text.slice(0, 10);
    }
  }
}

type Runtime = typeof ort;

async function answersTo(
  { InferenceSession, Tensor }: Runtime,
  file: Uint8Array,
  model: TrainedModel,
  columns: readonly Column[],
  rows: readonly (readonly Value[])[],
): Promise<Float32Array> {
  const { width, prepare } = rowPreparer(columns);
  const features = new Float32Array(rows.length * width);
  for (const [row, values] of rows.entries()) {
    const complaint = prepare(values, features, row * width);
    if (complaint) throw new Error(`internal: made-up ${JSON.stringify(complaint)}`);
  }
  await using session = releasing(await InferenceSession.create(file));
  const feeds = { [inputNameOf(model)]: new Tensor('float32', features, [rows.length, width]) };
  const answers = await session.run(feeds);
  return answers[outputNameOf(model)]?.data as Float32Array;
}

async function answersToColumns(
  { InferenceSession, Tensor }: Runtime,
  { bytes, answer }: ColumnsFile,
  columns: readonly Column[],
  rows: readonly (readonly Value[])[],
): Promise<Float32Array> {
  await using session = releasing(await InferenceSession.create(bytes));
  const feeds = columns.map(({ name, kind }, at) => {
    const values = rows.map((row) => row[at]);
    const dims = [rows.length, 1];
    const tensor =
      kind === 'numeric'
        ? new Tensor(
            'float32',
            Float32Array.from(values, (value) => (typeof value === 'number' ? value : NaN)),
            dims,
          )
        : new Tensor('string', values.map((value) => value ?? '') as string[], dims);
    return [name, tensor] as const;
  });
  const answers = await session.run(Object.fromEntries(feeds));
  return answers[answer]?.data as Float32Array;
}

/** Turns logits into probabilities, and returns other answers unchanged. */
function sharesOf(answers: Float32Array, model: TrainedModel): Float32Array {
  if (outputKindOf(model) !== 'logits') return answers;
  const classes = model.classes.length;
  return answers.map((answer, i) => {
    const row = answers.subarray(i - (i % classes), i - (i % classes) + classes);
    const largest = Math.max(...row);
    const sum = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    return Math.exp(answer - largest) / sum;
  });
}
