/** Compares answers of the same network, normalized by fixed running statistics and by those of each mini-batch. */
import { at } from '../../../training/arrays/index.ts';
import { plainTable } from '../../../exporter/command/table.ts';
import { percent } from '../../../training/files/index.ts';
import type { TestScores } from '../../../exporter/store/card.ts';
import type { Answer, Ask } from './client.ts';

export interface Digit {
  readonly image: Uint8Array;
  readonly label: string;
}

/** Holds images that share a request, and so a mini-batch, with the image that is asked about. */
export interface Neighbours {
  /** Describes the images in two words. */
  readonly description: string;
  readonly images: readonly Uint8Array[];
}

/**
 * @param scores accuracies on the test set
 * @param digits one image of every class; the first is also asked about among each of the neighbours
 * @returns a table for the terminal
 */
export async function compareStatistics(
  scores: TestScores,
  ask: Ask,
  digits: readonly Digit[],
  neighbours: readonly [Neighbours, Neighbours],
): Promise<string> {
  const { running, population, batchOfOne } = scores;
  const alone = await askAlone(ask, digits);
  const [first] = digits;
  if (!first) throw new Error('internal: no digit to ask about');
  const among = await askAmong(ask, first, neighbours);
  return table([
    ['', 'fixed running statistics (inference)', "the mini-batch's own statistics (training)"],
    [
      'test accuracy',
      `${percent(running)} (full pass: ${percent(population)})`,
      `${percent(batchOfOne)}, one image at a time`,
    ],
    [`a ${first.label}, alone`, describe(alone.running[0]), describe(alone.batch[0])],
    [`${digits.length} digits, one at a time`, describeMany(alone.running, digits), describeMany(alone.batch, digits)],
    ...neighbours.map(({ description }, i) => [
      `the ${first.label} among ${description}`,
      describe(among.running[i]),
      describe(among.batch[i]),
    ]),
    ['its logits differ by', describeShift(among.running), describeShift(among.batch)],
  ]);
}

interface Both {
  readonly running: readonly Answer[];
  readonly batch: readonly Answer[];
}

async function askAlone(ask: Ask, digits: readonly Digit[]): Promise<Both> {
  const running = await Promise.all(digits.map(async ({ image }) => firstOf(await ask([image], 'running'))));
  const batch = await Promise.all(digits.map(async ({ image }) => firstOf(await ask([image], 'batch'))));
  return { running, batch };
}

/** Asks about the same digit with different sets of neighbours. */
async function askAmong(ask: Ask, digit: Digit, neighbours: readonly Neighbours[]): Promise<Both> {
  const batches = neighbours.map(({ images }) => [digit.image, ...images]);
  const running = await Promise.all(batches.map(async (images) => firstOf(await ask(images, 'running'))));
  const batch = await Promise.all(batches.map(async (images) => firstOf(await ask(images, 'batch'))));
  return { running, batch };
}

function firstOf([answer]: readonly Answer[]): Answer {
  if (!answer) throw new Error('internal: an answer without logits');
  return answer;
}

const describe = (answer: Answer | undefined): string =>
  answer ? `${answer.label} (${(100 * answer.probability).toFixed(1)} %)` : '';

function describeMany(answers: readonly Answer[], digits: readonly Digit[]): string {
  const given = new Set(answers.map(({ label }) => label));
  const right = answers.filter(({ label }, i) => label === digits[i]?.label).length;
  const same = given.size === 1 ? `always ${[...given].join()}` : answers.map(({ label }) => label).join(' ');
  return `${same} (${right} right)`;
}

function describeShift([a, b]: readonly Answer[]): string {
  if (!a || !b) return '';
  const shift = a.logits.reduce((largest, logit, k) => Math.max(largest, Math.abs(logit - at(b.logits, k))), 0);
  return shift === 0 ? '0 (the same bits)' : shift.toPrecision(2);
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const lines = plainTable(head, head);
  lines.push(...rows.map((row) => [...row]));
  return lines.toString();
}
