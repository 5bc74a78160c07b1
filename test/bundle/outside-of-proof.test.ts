/**
 * Requests beyond the cases of a build work from files to HTTP: a request that needs code that the image lacks is
 * refused with a remedy that works, later requests are answered, and a size that no case could be right with is named.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import onnxProto, { type onnx } from 'onnx-proto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { encodeNpz } from '../../training/data/index.ts';
import { createWorker, type Image, type Predictor, type WorkerHandler } from '../../worker/create-worker.ts';
import { ask, jsonRequest } from '../worker/images.ts';
import { encodeProto } from '../../training/graph/index.ts';

const { FLOAT } = onnxProto.onnx.TensorProto.DataType;
const { GRAPH, INT } = onnxProto.onnx.AttributeProto.AttributeType;

type Dims = readonly (number | string)[];

const port = (name: string, dims: Dims): onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: FLOAT,
      shape: { dim: dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size })) },
    },
  },
});

const node = (opType: string, input: string[], output: string, attribute: onnx.IAttributeProto[] = []) => ({
  opType,
  input,
  output: [output],
  attribute,
});

const model = (graph: onnx.IGraphProto): Uint8Array =>
  encodeProto({
    irVersion: 9,
    opsetImport: [{ domain: '', version: 17 }],
    graph: { name: 'g', ...graph },
  });

/** A number that no generated input contains. */
const magic = 1234.5;

/** Builds y = erf x if the largest number is the magic one, otherwise relu x. */
function branching(): Uint8Array {
  const branch = (name: string, opType: string): onnx.IAttributeProto => ({
    name,
    type: GRAPH,
    g: { name, node: [node(opType, ['x'], `${name}_y`)], output: [port(`${name}_y`, ['N', 2])] },
  });
  return model({
    input: [port('x', ['N', 2])],
    output: [port('y', ['N', 2])],
    initializer: [{ name: 'magic', dims: [], dataType: FLOAT, floatData: [magic] }],
    node: [
      node('ReduceMax', ['x'], 'largest', [{ name: 'keepdims', type: INT, i: 0 }]),
      node('Equal', ['largest', 'magic'], 'is_magic'),
      node('If', ['is_magic'], 'y', [branch('then_branch', 'Erf'), branch('else_branch', 'Relu')]),
    ],
  });
}

/** Builds y = x W with W [11, 3]; the declared shape of x does not show the 11. */
const free = (columns: string): Uint8Array =>
  model({
    input: [port('x', ['rows', columns])],
    output: [port('y', ['rows', 3])],
    initializer: [{ name: 'w', dims: [11, 3], dataType: FLOAT, floatData: new Array<number>(33).fill(1) }],
    node: [node('MatMul', ['x', 'w'], 'y')],
  });

let folder: string;
let worker: WorkerHandler;
let image: { readonly default: Image; readonly named: Predictor<ArrayLike<number>, readonly number[]> };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-outside-'));
  const files = { branching: branching(), sampled: branching(), named: free('columns'), unnamed: free('') };
  for (const [name, file] of Object.entries(files)) {
    await mkdir(join(folder, 'models', name), { recursive: true });
    await writeFile(join(folder, 'models', name, 'model.onnx'), file);
  }
  const card = { output: { name: 'y', kind: 'number' } };
  await writeFile(join(folder, 'models/named/card.json'), JSON.stringify(card));
  const x = { shape: [1, 2], data: Float32Array.of(1, magic) };
  await writeFile(join(folder, 'models/sampled/samples.npz'), encodeNpz({ x }));
  await buildImage({ models: join(folder, 'models'), out: join(folder, 'image'), unoptimized: true });
  image = (await import(pathToFileURL(join(folder, 'image/image.mjs')).href)) as typeof image;
  worker = createWorker(image.default, { log: false });
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

const infer = (name: string, ...rows: readonly (readonly number[])[]) =>
  ask(
    worker,
    `/v2/models/${name}/infer`,
    jsonRequest({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, rows[0]?.length], data: rows }] }),
  );

describe('a request for code that no case has reached', () => {
  it('is told what makes a build keep it, and nothing else suffers', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    for (let time = 0; time < 3; time++) {
      expect(await infer('branching', [1, magic])).toMatchObject({
        status: 500,
        body: {
          error:
            'branching: the image lacks code that this request needs; a sample like it in models/branching/samples.npz makes a build keep it, EDGE_RUNTIME=stock builds with all there is',
        },
      });
      expect(await infer('branching', [-1, 2])).toMatchObject({ status: 200, body: { outputs: [{ data: [0, 2] }] } });
      expect(await infer('named', new Array<number>(11).fill(1))).toMatchObject({ status: 200 });
    }
    expect(log).toHaveBeenCalledTimes(3);
  });

  it('is answered where such a sample lies beside the model', async () => {
    const { status, body } = await infer('sampled', [1, magic]);
    const [output] = (body as { outputs: { data: number[] }[] }).outputs;
    expect(status).toBe(200);
    expect(Math.abs((output?.data[0] ?? NaN) - 0.8427007929)).toBeLessThan(1e-6);
  });
});

describe('a size that the file leaves open and the weights do not', () => {
  it.each([
    ['named', 12, 'x: expected 11 for dimension 1 ("columns"), as the build has found, got 12'],
    ['unnamed', 5, 'x: expected 11 for dimension 1, as the build has found, got 5'],
  ])('is told where it is another: %s', async (name, columns, error) => {
    expect(await infer(name, new Array<number>(columns).fill(1))).toMatchObject({ status: 400, body: { error } });
    expect((await infer(name, ...new Array<number[]>(3).fill(new Array<number>(11).fill(1)))).status).toBe(200);
  });

  it('is known to a program that calls the model', async () => {
    const rows = [new Array<number>(11).fill(1), new Array<number>(11).fill(2)];
    expect(await image.named.predictMany(rows)).toEqual([{ values: [11, 11, 11] }, { values: [22, 22, 22] }]);
    await expect(image.named.predict([1, 2])).rejects.toThrow('sample: expected 11 numbers, got 2');
    const types = await readFile(join(folder, 'image/image.d.mts'), 'utf8');
    expect(types).toContain('named: Predictor<ArrayLike<number>, readonly number[]>');
  });
});
