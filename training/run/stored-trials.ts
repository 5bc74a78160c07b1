/**
 * Stores the networks that only search for the length of training, in the run's folder: `folds/1.safetensors` and so
 * on. Each is written when it has been trained to the end, so that a stopped run resumes with the next one.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { pickTensor, readSafetensors, type StoredTensor, writeSafetensors } from '../checkpoint/index.ts';
import { checkedJson, makeFolder, parseJson, removeTemporaries, unexpected } from '../files/index.ts';
import type { State } from '../trainer/index.ts';
import { type Run, type RunFolder, trialFile, trialsFolder } from './run-folder.ts';
import { requireSame, stepsMetadata } from './snapshot-file.ts';

/** The result of one of them. */
export interface Trial {
  readonly steps: number;
  /** The loss and score of the validation part after each epoch, and the answers where these are needed. */
  readonly losses: readonly number[];
  readonly scores: readonly number[];
  readonly answers: readonly Float32Array[];
}

/** The dependencies of trials besides the run: the number of folds, and the tensors they start from. */
interface Dependencies {
  readonly folds: number;
  readonly from: State | undefined;
}

const keys = { run: 'bn_edge.run', engine: 'bn_edge.engine', trial: 'bn_edge.trial' } as const;

const trialSchema = z.strictObject({ steps: z.int().nonnegative(), epochs: z.int().nonnegative() });

export class Trials {
  readonly #folder: RunFolder;
  readonly #run: Run;
  /** The run's description, with the other dependencies as additional settings. */
  readonly #identity: unknown;
  #saved = 0;

  constructor(folder: RunFolder, run: Run, { folds, from }: Dependencies) {
    const { description } = run;
    const config = { ...description.config, folds, ...(from && { from: digestOf(from) }) };
    this.#folder = folder;
    this.#run = run;
    this.#identity = { ...description, config };
  }

  /**
   * Returns the result of a trial, stored or new.
   *
   * @param learn trains it
   * @param note receives a line where the stored result is used, and where another engine made it
   * @throws UserError naming the file of a trial of another run, and the first setting that differs
   */
  async at(number: number, learn: () => Promise<Trial>, note: (line: string) => void): Promise<Trial> {
    const path = trialFile(this.#folder.path, number);
    const isStored = existsSync(path);
    const trial = isStored ? await this.#load(path, note) : await learn();
    if (!isStored) await this.#save(path, trial);
    this.#saved += 1;
    return trial;
  }

  /** Says what an interruption in this trial has kept, and how to resume. */
  stoppedIn(of: string): string {
    if (this.#saved === 0) return `stopped in ${of}: nothing is saved`;
    return `stopped in ${of}, all before it are saved; to resume: bn-edge train --resume --out ${this.#folder.path}`;
  }

  async #save(path: string, { steps, losses, scores, answers }: Trial): Promise<void> {
    const each = answers[0]?.length ?? 0;
    const data = new Float32Array(answers.length * each);
    for (const [epoch, answer] of answers.entries()) data.set(answer, epoch * each);
    const tensors = new Map<string, StoredTensor>([
      ['losses', float64Tensor(losses)],
      ['scores', float64Tensor(scores)],
      ['answers', { dtype: 'F32', shape: [answers.length, each], data }],
    ]);
    const folder = join(this.#folder.path, trialsFolder);
    await makeFolder(folder);
    await removeTemporaries(folder);
    await writeSafetensors(path, tensors, {
      [keys.run]: JSON.stringify(this.#identity),
      [keys.engine]: this.#run.engine,
      [keys.trial]: JSON.stringify({ steps, epochs: losses.length }),
      ...stepsMetadata(this.#run.steps),
    });
    await this.#folder.forgetFormer();
  }

  async #load(path: string, note: (line: string) => void): Promise<Trial> {
    const { tensors, metadata } = await readSafetensors(path);
    const text = (key: string) => {
      const found = metadata[key];
      if (found === undefined) throw unexpected(path, `a network of a search (${key} in the metadata)`, 'none');
      return found;
    };
    requireSame(path, parseJson(text(keys.run), `${path}: ${keys.run}`), JSON.parse(JSON.stringify(this.#identity)));
    const { steps, epochs } = checkedJson(trialSchema, text(keys.trial), `${path}: ${keys.trial}`);
    const numbers = (name: string): readonly number[] => {
      const found = tensors.get(name);
      if (found?.dtype === 'F64' && found.data.length === epochs) return [...found.data];
      throw unexpected(`${path}: ${name}`, `${epochs} numbers of F64`, found?.dtype ?? 'none');
    };
    const [count = 0, each = 0] = tensors.get('answers')?.shape ?? [];
    const { data } = pickTensor(path, 'answers', [count, each], tensors.get('answers'));
    const answers = Array.from({ length: count }, (_, epoch) => data.slice(epoch * each, (epoch + 1) * each));
    const engine = text(keys.engine);
    note(`${path}: taken as it is`);
    if (engine !== this.#run.engine) note(`it was trained with ${engine}: the last bits may differ from there on`);
    return { steps, losses: numbers('losses'), scores: numbers('scores'), answers };
  }
}

const float64Tensor = (values: readonly number[]): StoredTensor => ({
  dtype: 'F64',
  shape: [values.length],
  data: Float64Array.from(values),
});

function digestOf(tensors: State): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of tensors) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
