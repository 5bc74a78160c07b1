/**
 * Checks that a card and the file beside it describe the same model. A statement that contradicts the file would be
 * served as if it were true.
 */
import { at } from '../../training/arrays/index.ts';
import { type Column, widthOf } from '../../training/columns/index.ts';
import { count, quote } from '../../training/files/index.ts';
import type { ModelOutput } from '../served/output.ts';
import { type Port, type Ports, shapeOf } from '../served/ports.ts';
import { describeFile, type ModelCard, type TensorCard } from './card.ts';
import { pictureOf } from './picture.ts';
import { readingContradictions } from './reading.ts';

/** Returns the content of a file beside the card; undefined if there is none. */
export type ReadFile = (name: string) => Uint8Array | undefined;

/** @returns a line `key: expected X, got Y` for everything in the card that the files contradict */
export function contradictions(card: ModelCard, ports: Ports, read: ReadFile): readonly string[] {
  const { files = {}, inputs = [], outputs = [], output } = card;
  return [
    ...Object.entries(files).flatMap(([name, { sha256 }]) => fileContradiction(name, sha256, read)),
    ...namedTwice('inputs', inputs),
    ...inputs.flatMap((input, i) => [
      ...tensorContradictions(`inputs[${i}]`, input, ports.inputs),
      ...pictureContradictions(`inputs[${i}]`, input, ports.inputs),
      ...columnContradictions(`inputs[${i}]`, input, ports.inputs),
    ]),
    ...namedTwice('outputs', outputs),
    ...outputs.flatMap((one, i) => [
      ...tensorContradictions(`outputs[${i}]`, one, ports.outputs),
      ...(['picture', 'columns'] as const)
        .filter((key) => one[key] !== undefined)
        .map((key) => `outputs[${i}].${key}: expected none, which is of an input, got one`),
    ]),
    ...unknownContradiction(card),
    ...(output ? outputContradictions(output, ports.outputs) : []),
    ...labelContradictions(card.labels, output, ports.outputs),
    ...readingContradictions(card),
  ];
}

function fileContradiction(name: string, stated: string, read: ReadFile): readonly string[] {
  const content = read(name);
  const found = content && describeFile(content).sha256;
  if (found === stated) return [];
  const help = 'bn-edge export or add, with --overwrite, writes card and file again';
  return [
    `files[${quote(name)}].sha256: expected ${found ?? 'none, as there is no such file'}, got ${stated}; ${help}`,
  ];
}

const nameContradiction = (where: string, name: string, ports: readonly Port[]): readonly string[] =>
  ports.some((port) => port.name === name)
    ? []
    : [`${where}: expected ${ports.map((port) => quote(port.name)).join(' or ') || 'none'}, got ${quote(name)}`];

function outputContradictions({ name, kind }: ModelOutput, ports: readonly Port[]): readonly string[] {
  const port = ports.find((candidate) => candidate.name === name);
  if (!port) return nameContradiction('output.name', name, ports);
  if (kind !== 'class' || (isOneEach(port) && /INT/.test(port.datatype))) return [];
  const got = `${port.datatype} [${shapeOf(port)?.join(', ') ?? '…'}]`;
  return [
    `output.kind: expected another than "class", which is a whole number for each sample, as ${quote(name)} is ${got}`,
  ];
}

const isOneEach = ({ dims }: Port): boolean => dims?.length === 1 || (dims?.length === 2 && dims[1] === 1);

function tensorContradictions(where: string, card: TensorCard, ports: readonly Port[]): readonly string[] {
  const port = ports.find(({ name }) => name === card.name);
  if (!port) return nameContradiction(`${where}.name`, card.name, ports);
  const type =
    port.datatype === card.datatype ? [] : [`${where}.datatype: expected ${port.datatype}, got ${card.datatype}`];
  const shape = shapeOf(port);
  const other = shape && card.shape && !agree(shape, card.shape) ? [shape, card.shape] : undefined;
  return [
    ...type,
    ...(other ? [`${where}.shape: expected ${other.map((sizes) => `[${sizes.join(', ')}]`).join(', got ')}`] : []),
  ];
}

function namedTwice(where: string, cards: readonly TensorCard[]): readonly string[] {
  const names = cards.map(({ name }) => name);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  return twice < 0 ? [] : [`${where}[${twice}].name: expected each once, got ${quote(at(names, twice))} again`];
}

function pictureContradictions(
  where: string,
  { name, picture }: TensorCard,
  ports: readonly Port[],
): readonly string[] {
  const port = ports.find((candidate) => candidate.name === name);
  return port ? pictureOf(picture, port).objections.map((objection) => `${where}.picture${objection}`) : [];
}

/** Returns objections to columns by which a Worker could not accept rows. */
function columnContradictions(
  where: string,
  { name, columns, picture }: TensorCard,
  ports: readonly Port[],
): readonly string[] {
  const port = ports.find((candidate) => candidate.name === name);
  if (!columns || !port) return [];
  const none = (why: string): readonly string[] => [`${where}.columns: expected none ${why}, got ${columns.length}`];
  if (picture) return none('beside "picture"');
  if (ports.length > 1) return none(`for a model of ${ports.length} inputs`);
  const [rank, numbers] = [port.dims?.length, port.dims?.[1]];
  if (port.datatype !== 'FP32' || rank !== 2) {
    const got = `${port.datatype} ${port.dims ? `[${shapeOf(port)?.join(', ') ?? ''}]` : 'of any shape'}`;
    return none(`but for rows of numbers, FP32 [N, numbers], as ${quote(name)} is ${got}`);
  }
  const names = columns.map((column) => column.name);
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  if (twice !== undefined) return [`${where}.columns: expected each once, got ${quote(twice)} twice`];
  const own = columns.flatMap((column, i) => categoryContradictions(`${where}.columns[${i}]`, column));
  if (own.length > 0) return own;
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  if (width > 0 && (typeof numbers !== 'number' || numbers === width)) return [];
  return [
    `${where}.columns: expected ${numbers ?? 'some'} numbers, as many as a row of ${quote(name)} has, got ${width} (${count(columns.length)} named)`,
  ];
}

function categoryContradictions(where: string, column: Column): readonly string[] {
  if (column.kind !== 'categorical') return [];
  const { categories, fill } = column;
  const twice = categories.find((one, i) => categories.indexOf(one) !== i);
  if (twice !== undefined) return [`${where}.categories: expected each once, got ${quote(twice)} twice`];
  // The index after the last is a place of its own.
  if (fill === null || (Number.isInteger(fill) && fill >= 0 && fill <= categories.length)) return [];
  return [`${where}.fill: expected the place of a category, 0 to ${categories.length}, got ${fill}`];
}

const unknownContradiction = ({ unknown, inputs = [] }: ModelCard): readonly string[] =>
  unknown === undefined || inputs.some(({ columns }) => columns)
    ? []
    : [`unknown: expected none without "columns" of an input, got ${quote(unknown)}`];

/** Is true if the shapes agree. A card may state a size that the file leaves free. */
const agree = (file: readonly number[], card: readonly number[]): boolean =>
  file.length === card.length && file.every((size, axis) => size === -1 || size === card[axis]);

function labelContradictions(
  labels: ModelCard['labels'],
  output: ModelOutput | undefined,
  ports: readonly Port[],
): readonly string[] {
  const twice = labels?.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) return [`labels: expected each once, got ${quote(twice)} twice`];
  const port = ports.find(({ name }) => name === output?.name);
  const shape = port && shapeOf(port);
  return labelCount(labels, output, shape);
}

/** @param shape of the output, as far as it is known */
export function labelCount(
  labels: ModelCard['labels'],
  output: ModelOutput | undefined,
  shape: readonly number[] | undefined,
): readonly string[] {
  // A number has no class, and an output of class indices does not say how many classes there are.
  if (!labels || !output || output.kind === 'number' || output.kind === 'class' || !shape || shape.length > 2)
    return [];
  const numbers = shape.length === 2 ? at(shape, 1) : 1;
  // A single number stands for two classes.
  if (numbers < 0 || labels.length === Math.max(2, numbers)) return [];
  return [
    `labels: expected ${Math.max(2, numbers)}, as ${quote(output.name)} is of so many classes, got ${labels.length}`,
  ];
}
