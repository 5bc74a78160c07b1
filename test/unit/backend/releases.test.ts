/** Sessions are released however their user ends: every session opened here fails when it runs. */
import { describe, expect, it } from 'vitest';
import { exportFile } from '../../../exporter/model/inference-graph.ts';
import { answersOfFile } from '../../../exporter/model/verify.ts';
import { estimateStatistics } from '../../../exporter/recalibration/statistics.ts';
import { batchNormOf } from '../../../exporter/served/find-batch-norm.ts';
import type { Backend, NamedTensors, Session } from '../../../training/backend/index.ts';
import { channelBlockOf } from '../../../training/backend/channel-block.ts';
import { openBoundSession, type Runtime } from '../../../training/backend/runtime.ts';
import { type OpenBound, openStaged, stagedProgram } from '../../../training/backend/staged/staged-session.ts';
import { canRunUncopied } from '../../../training/backend/uncopied.ts';
import type { TrainedModel } from '../../../training/checkpoint/index.ts';
import { createRandom } from '../../../training/data/index.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { decodeProto, type Value } from '../../../training/graph/index.ts';
import { lower } from '../../../training/lowering/index.ts';
import { batchNorm, conv2d, dense, flatten, planNetwork, relu } from '../../../training/network/index.ts';
import { arrays } from '../../../training/program/index.ts';
import { trainingDefaults } from '../../../training/run/index.ts';
import { initializeTensors, populationStatistics, train } from '../../../training/trainer/index.ts';
import { twoClouds } from '../../ort/samples.ts';
import { gradientGraph, network } from '../lowering/step-graphs.ts';

const samples = twoClouds(40, 3);
const plan = planNetwork({
  name: 'small',
  inputShape: [3],
  inputNormalization: 'feature',
  layers: [dense(4), batchNorm(), relu(), dense(2)],
});
const tensors = initializeTensors(plan, createRandom(1), samples);
const model: TrainedModel = { plan, tensors, classes: samples.classes, record: undefined };
const config = { ...trainingDefaults, seed: 1, epochs: 1, batchSize: 10, learningRate: 0.01, bnMomentum: 0.9 };
const broken = new Error('the device is lost');

/** Counts open sessions. Every run of a session fails, and from the session number `last` on, opening fails too. */
class Sessions {
  open = 0;
  opened = 0;
  readonly #last: number;

  constructor(last = Infinity) {
    this.#last = last;
  }

  readonly create = (): Promise<Session> => {
    if (this.opened === this.#last) return Promise.reject(broken);
    this.opened += 1;
    this.open += 1;
    const release = () => Promise.resolve(void (this.open -= 1));
    return Promise.resolve({ run: () => Promise.reject(broken), release });
  };

  get backend(): Backend {
    return { name: 'broken', engine: 'none', createSession: this.create, loadSession: this.create };
  }

  get runtime(): Runtime {
    return { InferenceSession: { create: this.create }, Tensor: Float32Array } as unknown as Runtime;
  }
}

const tensorsFor = (values: readonly Value[]): NamedTensors =>
  Object.fromEntries(
    values.map(({ name, dtype, shape }) => {
      const sizes = shape.map(Number);
      return [name, { dtype, shape: sizes, data: new arrays[dtype](elementCount(sizes)) }];
    }),
  );

/** Uses sessions of a backend or of a runtime. It must reject, or resolve to an answer that says it cannot be done. */
type Use = (sessions: Sessions) => Promise<unknown>;

const failing: Readonly<Record<string, Use>> = {
  'population statistics': ({ backend }) => populationStatistics(backend, plan, tensors, samples),
  training: ({ backend }) => train(plan, { train: samples, validation: samples }, config, backend),
  'the answers of an exported file': ({ backend }) => answersOfFile(backend, model, exportFile(model), samples),
  'statistics measured anew': ({ backend }) => {
    const bytes = exportFile(model);
    const { layers } = batchNormOf(decodeProto(bytes));
    return estimateStatistics({ path: 'model.onnx', bytes, layers, input: 'features' }, samples, backend, 0);
  },
};

const answering: Readonly<Record<string, Use>> = {
  'the width of channels in blocks': ({ runtime }) => channelBlockOf(runtime),
  'a runtime that writes in place': ({ runtime }) => canRunUncopied(runtime),
};

describe('sessions are released when a run fails', () => {
  it.each(Object.entries(failing))('%s', async (_, use) => {
    const sessions = new Sessions();
    await expect(use(sessions)).rejects.toThrow(broken.message);
    expect(sessions.opened).toBeGreaterThan(0);
    expect(sessions.open).toBe(0);
  });

  it.each(Object.entries(answering))('%s', async (_, use) => {
    const sessions = new Sessions();
    expect(await use(sessions)).toBeFalsy();
    expect([sessions.opened, sessions.open]).toEqual([1, 0]);
  });
});

describe('sessions are released when another cannot be opened', () => {
  it('training, whose evaluator comes after its steps', async () => {
    const sessions = new Sessions(1);
    await expect(failing['training']?.(sessions)).rejects.toThrow(broken.message);
    expect([sessions.opened, sessions.open]).toEqual([1, 0]);
  });

  it('the stages of a step that is cut', async () => {
    const sessions = new Sessions(1);
    const layers = [conv2d(3, { kernel: 3 }), batchNorm(), relu(), flatten(), dense(2)];
    const graph = lower(gradientGraph(network([2, 4, 4], ...layers)), 'rows');
    const program = stagedProgram(graph, { large: 1 });
    if (!program) throw new Error('expected a step in stages');
    const bound = { inputs: tensorsFor(graph.inputs), outputs: tensorsFor(graph.outputs) };
    const open: OpenBound = (_, part) => openBoundSession(sessions.runtime, new Uint8Array(), {}, part);
    const opened = openStaged(program, bound, 1, open);
    await expect(opened).rejects.toThrow(broken.message);
    expect([sessions.opened, sessions.open]).toEqual([1, 0]);
  });
});
