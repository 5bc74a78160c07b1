/** Reads weights that are not part of the script when a model is first requested, and checks their hashes. */

/** One of the files that a model's weights are cut into. */
export interface WeightPart {
  readonly name: string;
  /** `sha256` is written in hexadecimal digits. */
  readonly sha256: string;
}

/** The weights that a model needs before it can answer. */
export interface LateWeights {
  /** `path` is the model's. */
  readonly path: string;
  /** `file` is the index of the image's list of pieces that these weights fill. */
  readonly file: number;
  /** `parts` lists the files in the order in which their contents follow each other. */
  readonly parts: readonly WeightPart[];
}

export type ReadPart = (name: string) => Promise<ArrayBuffer>;
export type Load = (path: string, read: ReadPart) => Promise<void>;

/** Thrown if a file of weights is not the one that the image was built with. */
class WeightsError extends Error {
  override readonly name = 'WeightsError';
}

/**
 * The time in milliseconds that a request waits for another one to read the weights: that one may have been cancelled.
 */
const patience = 5_000;

/**
 * Returns a function that loads a model's weights, once.
 *
 * @param provide receives the weights of a file when they are there
 */
export function loaderOf(late: readonly LateWeights[], provide: (file: number, stored: Uint8Array) => void): Load {
  const [done, underWay] = [new Set<string>(), new Map<string, Promise<void>>()];
  const load = async ({ path, file, parts }: LateWeights, read: ReadPart) => {
    const contents = await Promise.all(parts.map((part) => readPart(path, part, read)));
    // Another request may have been faster.
    if (!done.has(path)) provide(file, joined(contents));
    done.add(path);
  };
  return async (path, read) => {
    const one = late.find((weights) => weights.path === path);
    if (!one || done.has(path)) return;
    const other = underWay.get(path);
    if (other)
      await Promise.race([other.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, patience))]);
    if (done.has(path)) return;
    const own = load(one, read);
    underWay.set(path, own);
    await own.finally(() => underWay.delete(path));
  };
}

/** @throws WeightsError if the bytes are not those that the image was built with */
async function readPart(path: string, { name, sha256 }: WeightPart, read: ReadPart): Promise<Uint8Array> {
  const content = await read(name);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  const found = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found === sha256) return new Uint8Array(content);
  throw new WeightsError(`weights of ${path}: expected sha256 ${sha256} of ${name}, got ${found}`);
}

function joined(contents: readonly Uint8Array[]): Uint8Array {
  const [only, ...others] = contents;
  if (only && others.length === 0) return only;
  const whole = new Uint8Array(contents.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const content of contents) {
    whole.set(content, at);
    at += content.length;
  }
  return whole;
}
