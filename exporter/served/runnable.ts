/**
 * Finds out whether the Worker's runtime can run a model, by trying it on that very runtime, ONNX Runtime Web's WASM.
 */
import * as ort from 'onnxruntime-web/wasm';
import { at, elementCount } from '../../training/arrays/index.ts';
import { quote, releasing, UserError } from '../../training/files/index.ts';
import { arrays } from '../../training/program/index.ts';
import { type Datatype, elementTypes, type Port, shapeOf } from './ports.ts';

/** Only fatal errors are printed: the others are thrown. */
const quiet = { logSeverityLevel: 4 } as const;

/** @throws UserError with the runtime's reason, which names an operator that it lacks */
export async function requireRunnable(file: string, model: Uint8Array): Promise<void> {
  const session = await openModel(file, model);
  await session.release();
}

/** @throws UserError with the runtime's reason, which names an operator that it lacks */
export async function openModel(file: string, model: Uint8Array): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1;
  try {
    return await ort.InferenceSession.create(model, quiet);
  } catch (error) {
    throw new UserError(`${file}: the runtime cannot run it: ${reasonOf(error)}`, { cause: error });
  }
}

/** The result of running a made-up sample. */
export interface Trial {
  /** The shape of each output; undefined if no made-up sample was accepted. */
  readonly shapes: ReadonlyMap<string, readonly number[]> | undefined;
  /** `reason` says why the last sample was refused. */
  readonly reason?: string;
  /** `drawsNumbers` is true if the same sample gets another answer each time. */
  readonly drawsNumbers: boolean;
}

/** The error of a model that draws random numbers. */
export const randomAnswers = [
  'the same answer to the same numbers, as an image is proven by',
  'another one each time: the model draws random numbers (EDGE_RUNTIME=stock deploys it on the stock runtime)',
] as const;

/**
 * Runs one sample. Free sizes are found by trials; the first one, which is the number of samples, is 1.
 *
 * @param sizes the sizes that free dimensions may have, the likely ones first
 * @throws UserError if the runtime cannot run the model, or refuses the only inputs that the file allows
 */
export async function tryModel(
  file: string,
  model: Uint8Array,
  inputs: readonly Port[],
  sizes: readonly number[],
): Promise<Trial> {
  await using session = releasing(await openModel(file, model));
  let reason = `its inputs have more than ${MAX_ELEMENTS} numbers`;
  for (const shapes of candidates(inputs, sizes)) {
    try {
      const sample = () => madeUp(inputs, shapes);
      const outputs = await session.run(sample(), quiet);
      const isSteady = isSame(outputs, await session.run(sample(), quiet));
      return {
        shapes: new Map(Object.entries(outputs).map(([name, { dims }]) => [name, dims])),
        // A layer that keeps a state also answers differently each time.
        drawsNumbers: !isSteady && randomOperators.some((operator) => Buffer.from(model).includes(operator)),
      };
    } catch (error) {
      reason = reasonOf(error);
    }
  }
  if (inputs.every(isCertain)) throw new UserError(`${file}: the runtime cannot run it: ${reason}`);
  return { shapes: undefined, reason, drawsNumbers: false };
}

/** Returns the shapes of a sample that the model accepts; undefined if no made-up sample was accepted. */
export async function acceptedShapes(
  session: ort.InferenceSession,
  inputs: readonly Port[],
  sizes: readonly number[],
): Promise<readonly (readonly number[])[] | undefined> {
  for (const shapes of candidates(inputs, sizes)) {
    try {
      await session.run(madeUp(inputs, shapes), quiet);
      return shapes;
    } catch {
      // The next shapes may be accepted.
    }
  }
  return undefined;
}

/**
 * Operators that draw random numbers. Their names are searched for anywhere in a file: they may be in a loop or a
 * function.
 */
const randomOperators = ['RandomNormal', 'RandomUniform', 'Multinomial', 'Bernoulli', 'Dropout'];

type Answer = Readonly<Record<string, ort.Tensor>>;

/** Compares bit by bit, so that NaN equals NaN. */
const isSame = (a: Answer, b: Answer): boolean =>
  Object.keys(a).every((name) => bytesOf(a[name]).equals(bytesOf(b[name])));

function bytesOf(tensor: ort.Tensor | undefined): Buffer {
  const { buffer, byteOffset, byteLength } = (tensor?.data ?? new Uint8Array()) as ArrayBufferView;
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Is true if any numbers in that shape are a valid input. Integers may be indices or sizes, of which few are valid. */
const isCertain = ({ datatype, dims }: Port): boolean =>
  datatype.startsWith('FP') &&
  dims !== undefined &&
  // The first size is the number of samples, which may be 1 in any model, unless it is the only size.
  (dims.length > 1 ? dims.slice(1) : dims).every((size) => typeof size === 'number');

/** Numbers of dimensions to try if the file does not state them. */
const ranks = [1, 2, 3, 4, 5, 0];

/** A larger sample is not worth the memory. */
const MAX_ELEMENTS = 2 ** 24;

/** Yields the shapes of all inputs for one attempt after the other. */
function* candidates(
  inputs: readonly Port[],
  sizes: readonly number[],
): Generator<readonly (readonly number[])[], void> {
  // A dimension that is called as the first one of an input counts the samples, too.
  const batches = new Set(inputs.map(({ dims }) => dims?.[0]).filter((size) => size !== ''));
  const isOpen = inputs.some(({ dims }) => dims === undefined);
  for (const rank of isOpen ? ranks : [0]) {
    for (const size of inputs.every(isFixed) ? [1] : sizes) {
      const shapes = inputs.map(({ dims = Array.from({ length: rank }, () => '') }) =>
        dims.map((dim, axis) => {
          if (typeof dim === 'number') return dim;
          return axis === 0 || batches.has(dim) ? 1 : size;
        }),
      );
      const elements = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
      if (elements <= MAX_ELEMENTS) yield shapes;
    }
  }
}

const isFixed = (port: Port): boolean =>
  shapeOf(port)
    ?.slice(1)
    .every((size) => size >= 0) ?? false;

/**
 * Makes up a sample. Integers are 0, which is a valid index of anything.
 *
 * @param real returns the numbers in single and double precision, by their index
 */
export function madeUp(
  inputs: readonly Port[],
  shapes: readonly (readonly number[])[],
  real = smallNumbers,
): Record<string, ort.Tensor> {
  return Object.fromEntries(
    inputs.map(({ name, datatype }, i) => {
      const shape = at(shapes, i);
      const length = elementCount(shape);
      return [name, tensorOf(datatype, length, shape, real)];
    }),
  );
}

/** Returns numbers of both signs. */
const smallNumbers = (i: number): number => (((i * 7) % 11) - 5) / 5;
/** The bits of 0.5 in half precision. */
const half = 0x3800;

function tensorOf(
  datatype: Datatype,
  length: number,
  shape: readonly number[],
  real: (i: number) => number,
): ort.Tensor {
  const { dtype } = elementTypes[datatype];
  if (dtype === 'float16') return new ort.Tensor(dtype, new Uint16Array(length).fill(half), shape);
  const data = new arrays[dtype](length);
  if (data instanceof Float32Array || data instanceof Float64Array) data.forEach((_, i) => (data[i] = real(i)));
  return new ort.Tensor(dtype, data, shape);
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/external data/i.test(message)) {
    return 'its weights are in a file beside it (torch.onnx.export writes one file with external_data=False)';
  }
  return message
    .split('\n', 1)
    .join()
    .replace(/^.*ERROR_MESSAGE: /, '')
    .replace(/\S*\/\S+:\d+ /g, '')
    .replace(signature, '')
    .replace(
      /Could not find an implementation for (\w+)\((\d+)\) node with name '(.*?)'/,
      (_, operator: string, opset: string, name: string) =>
        `it has no ${operator} (of opset ${opset}) for the types that ${name === '' ? 'it' : quote(name)} has here`,
    );
}

/** The signature of the C++ function that throws. */
const signature = /(?:(?:virtual|static|void|bool|\S*Status) )*(?:\w+::)*onnxruntime::[\w:~<>]+\([^()]*\)(?: const)? /g;
