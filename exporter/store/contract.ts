/** Whether a card and the file beside it are of one model. What contradicts the file would be served as if it were true. */
import { quote } from '../../training/files/index.ts';
import type { ModelOutput } from '../served/output.ts';
import { type Port, type Ports, shapeOf } from '../served/ports.ts';
import { describeFile, type ModelCard, type TensorCard } from './card.ts';
import { pictureOf } from './picture.ts';

/** The content of a file beside the card; undefined where there is none. */
export type ReadFile = (name: string) => Uint8Array | undefined;

/** @returns a line `key: expected X, got Y` for everything in the card that the files contradict */
export function contradictions(card: ModelCard, ports: Ports, read: ReadFile): readonly string[] {
  const { files = {}, inputs = [], outputs = [], output } = card;
  return [
    ...Object.entries(files).flatMap(([name, { sha256 }]) => fileContradiction(name, sha256, read)),
    ...inputs.flatMap((input, i) => tensorContradictions(`inputs[${i}]`, input, ports.inputs)),
    ...outputs.flatMap((one, i) => tensorContradictions(`outputs[${i}]`, one, ports.outputs)),
    ...(output ? outputContradictions(output, ports.outputs) : []),
    ...labelContradictions(card.labels, output, ports.outputs),
  ];
}

function fileContradiction(name: string, stated: string, read: ReadFile): readonly string[] {
  const content = read(name);
  const found = content && describeFile(content).sha256;
  if (found === stated) return [];
  const help = 'bn-edge export or add, with --overwrite, writes card and file anew';
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
    ...pictureOf(card.picture, port).objections.map((objection) => `${where}.picture${objection}`),
  ];
}

/** A card may know of a size that the file leaves free. */
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
  // A number is of no class, and of how many the number of one is is not said.
  if (!labels || !output || output.kind === 'number' || output.kind === 'class' || !shape || shape.length > 2)
    return [];
  const numbers = shape.length === 2 ? (shape[1] ?? -1) : 1;
  // One number is of two classes.
  if (numbers < 0 || labels.length === Math.max(2, numbers)) return [];
  return [
    `labels: expected ${Math.max(2, numbers)}, as ${quote(output.name)} is of so many classes, got ${labels.length}`,
  ];
}
