/** A run records by which stepper and on how many threads it takes its steps, and keeps to them when it is resumed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Backend, nativeBackend, threadsInDoubt } from '../../training/backend/index.ts';
import { graphBuilder } from '../../training/graph/index.ts';
import { batchNorm, dense, type Network, planNetwork, relu } from '../../training/network/index.ts';
import { multiclass } from '../../training/objective/index.ts';
import { type RunStart, silentReporter, trainingDefaults, trainToFolder } from '../../training/run/index.ts';
import { storedSteps } from '../../training/run/snapshot-file.ts';
import {
  backendAsBefore,
  backendAsMeasured,
  noteOnEngine,
  noteOnThreads,
} from '../../training/run/measure-steppers.ts';
import {
  describeSteps,
  fastestSteps,
  type StepRecord,
  stepRecord,
  stepsInDoubt,
  TrainingRun,
} from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';

const network: Network = {
  name: 'wide',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [dense(512), batchNorm(), relu(), dense(768), batchNorm(), relu(), dense(2)],
};
const plan = planNetwork(network);
const train = twoClouds(400, 6, 1);
const config = { ...trainingDefaults, epochs: 100, batchSize: 20, seed: 1, objective: multiclass() };
const steps = { plan, train, config };
const backend = await nativeBackend();

vi.mock('node:os', async (load) => {
  const actual = await load<typeof os>();
  return { ...actual, homedir: vi.fn(actual.homedir) };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'bn-edge-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('threads of which a number is in doubt', () => {
  const product = (rows: number) => {
    const g = graphBuilder();
    const [a, b] = [[rows, 1000] as const, [1000, 1000] as const].map((shape, i) =>
      g.input(`x${i}`, { dtype: 'float32', shape }),
    );
    if (!a || !b) throw new Error('no inputs');
    return g.build('product', { y: g.MatMul(a, b) });
  };
  it.each([
    [1, 8, [1]],
    [50, 8, [1, 4]],
    [200, 2, [1, 2]],
    [200, 8, [1, 4, 8]],
    [4000, 8, [8]],
  ])('%d million multiplications on %d cores: %j', (millions, cores, expected) => {
    expect(threadsInDoubt(product(millions), cores)).toEqual(expected);
  });
});

describe('ways that are in doubt', () => {
  const ways = (batchSize: number, on: Partial<Backend> = {}, cores = 2) =>
    stepsInDoubt(plan, train, { ...config, batchSize }, { ...backend, ...on }, cores).map(
      ({ stepper, threads }) => `${stepper} ${threads}`,
    );
  it.each<[string, Partial<Backend>, number, number, readonly string[]]>([
    ['a small step', {}, 1, 2, ['compiled 1']],
    ['half of which is worth a thread', {}, 5, 2, ['compiled 1', 'compiled 2']],
    ['of some size', {}, 20, 2, ['in-place 1', 'in-place 2', 'compiled 2']],
    ['of some size on one core', {}, 20, 1, ['in-place 1']],
    ['of some size, in a Loop', { stepper: 'loop' }, 20, 2, ['loop 1', 'loop 2']],
    ['of some size, compiled', { stepper: 'compiled' }, 20, 2, ['compiled 1', 'compiled 2']],
    ['of some size, without memory that threads share', { sharesMemory: false }, 20, 2, ['in-place 1', 'in-place 2']],
    ['a large step', {}, 100, 2, ['in-place 1', 'in-place 2']],
  ])('%s', (_name, on, batchSize, cores, expected) => {
    expect(ways(batchSize, on, cores)).toEqual(expected);
  });
});

describe('what is measured', () => {
  beforeEach(() => rm(join(folder, 'cache'), { recursive: true, force: true }));

  /** Returns the steps after a choice on two cores, and how often it was measured. */
  async function choose(found: StepRecord | undefined, batchSize = 20, epochs = 100) {
    const lines: string[] = [];
    let measured = 0;
    const measure = () => {
      measured += 1;
      return Promise.resolve(found);
    };
    const reporter = { ...silentReporter, note: (line: string) => lines.push(line) };
    const asked = { ...steps, config: { ...config, batchSize, epochs } };
    const chosen = await backendAsMeasured(asked, backend, reporter, { cores: 2, measure });
    return { lines, measured, record: stepRecord(plan, train, asked.config, chosen) };
  }
  const inPlace = (threads: number) => ({ stepper: 'in-place', threads }) as const;

  it('is one of the ways that are tried, or nothing where others use the machine', async () => {
    const records = [inPlace(1), { stepper: 'compiled', threads: 2 }] as const;
    const tried: Backend[] = [];
    const found = await fastestSteps(plan, train, config, records, ({ stepper, threads }) => {
      tried.push({ ...(backend.withStepThreads?.(threads ?? NaN) ?? backend), stepper });
      return tried.at(-1) ?? backend;
    });
    expect([...records, undefined]).toContain(found);
    expect(tried.map((each) => stepRecord(plan, train, config, each))).toEqual(records);
  });

  it('is remembered for the same network on the same machine, and said', async () => {
    const lines = ['steps take 7 of 2 threads, as measured on this machine; --threads or --stepper overrides this'];
    expect(await choose(inPlace(7))).toEqual({ lines, measured: 1, record: inPlace(7) });
    expect(await choose(inPlace(8))).toEqual({ lines, measured: 0, record: inPlace(7) });
    expect(await choose(inPlace(5), 25)).toMatchObject({ measured: 1, record: inPlace(5) });
  });

  it('decides the way as well, which is said with what pins it', async () => {
    const record = { stepper: 'compiled', threads: 2 } as const;
    const lines = [
      'steps take 2 of 2 threads, compiled, as measured on this machine; --threads or --stepper overrides this',
    ];
    expect(await choose(record, 22)).toEqual({ lines, measured: 1, record });
    expect(describeSteps(backend, record)).toMatch(/, steps compiled for V8 .* on 2 threads$/);
  });

  it('is not remembered where others use the machine: the work decides', async () => {
    const rule = stepRecord(plan, train, { ...config, batchSize: 40 }, backend);
    for (let time = 0; time < 2; time++)
      expect(await choose(undefined, 40)).toEqual({ lines: [], measured: 1, record: rule });
  });

  it('is measured again where the memory is damaged', async () => {
    await choose(inPlace(7));
    const path = join(folder, 'cache/bn-edge/threads.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll('7', '"seven"'));
    expect(await choose(inPlace(6))).toMatchObject({ measured: 1, record: inPlace(6) });
  });

  const noHome = (): string => {
    throw new Error('uv_os_homedir returned ENOENT');
  };
  it.each([
    ['has no home', noHome],
    ['has an empty home', () => ''],
  ])('is measured each time where the user %s', async (_name, home) => {
    const cache = process.env['XDG_CACHE_HOME'];
    vi.stubEnv('XDG_CACHE_HOME', '');
    vi.mocked(os.homedir).mockImplementation(home);
    for (const found of [inPlace(7), inPlace(6)])
      expect(await choose(found)).toMatchObject({ measured: 1, record: found });
    vi.stubEnv('XDG_CACHE_HOME', cache);
  });

  it('is not asked for by a run that is shorter than what it costs', async () => {
    expect(await choose(inPlace(7), 30, 1)).toMatchObject({ lines: [], measured: 0 });
  });
});

it('without vectors ONNX Runtime takes the steps, which is said once', () => {
  const lines: string[] = [];
  const note = (line: string) => lines.push(line);
  noteOnEngine(backend, note);
  expect(lines).toEqual([]);
  vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  noteOnEngine(backend, note);
  expect(lines).toEqual(['this Node has no SIMD in WebAssembly: ONNX Runtime takes the steps alone, which is slower']);
  expect(stepRecord(plan, train, { ...config }, backend).stepper).toBe('loop');
  vi.restoreAllMocks();
});

it.each([
  [64, 2, ['steps take 64 threads on 2 cores, which wait for each other; --threads 2 is faster']],
  [2, 1, ['steps take 2 threads on 1 core, which wait for each other; --threads 1 is faster']],
  [2, 2, []],
  [undefined, 1, []],
])('%j threads on %d cores: it says %j', (threads, cores, expected) => {
  const lines: string[] = [];
  noteOnThreads({ stepper: 'in-place', threads }, (line) => lines.push(line), cores);
  expect(lines).toEqual(expected);
});

it('threads beyond the cores are no threads of rows, which would only take turns', async () => {
  const started = vi.fn();
  process.on('worker', started);
  const many = await nativeBackend({ threads: os.availableParallelism() + 2 });
  const wide = planNetwork({ ...network, layers: [dense(60_000), relu(), dense(2)] });
  const run = await TrainingRun.start(wide, train, config, { ...many, stepper: 'in-place' });
  await run.release();
  process.off('worker', started);
  expect(started).toHaveBeenCalledTimes(2 * (os.availableParallelism() - 1));
});

describe('a run that goes on', () => {
  const { optimizer, learningRate, schedule, bnMomentum } = trainingDefaults;
  const run = (options: { resume?: boolean; stepper?: 'in-place' | 'loop' } = {}) => {
    const engines: string[] = [];
    const reporter = { ...silentReporter, onStart: ({ engine }: RunStart) => engines.push(engine) };
    const asked = {
      data: { path: 'test/fixtures/penguins.csv', label: 'species' },
      hidden: [8],
      config: { optimizer, learningRate, schedule, bnMomentum, seed: 1, epochs: 2, batchSize: 32 },
      backend: 'native' as const,
      out: join(folder, 'run'),
      ...options,
    };
    return trainToFolder(asked, reporter).then(() => engines[0]);
  };

  it('takes its steps as the ones before, unless it is told otherwise', async () => {
    expect(await run({ stepper: 'in-place' })).toMatch(
      /, steps in place on 1 thread \(--stepper in-place --threads 1\)$/,
    );
    expect(await storedSteps(join(folder, 'run/last.safetensors'))).toEqual({ stepper: 'in-place', threads: 1 });
    expect(await run({ resume: true })).toMatch(/, steps in place on 1 thread /);
    expect(await run({ resume: true, stepper: 'loop' })).toMatch(/, steps in a Loop on 1 thread /);
  });

  it('takes as many threads as it was begun with', () => {
    const same = backendAsBefore(steps, backend, { stepper: 'in-place', threads: 3 });
    expect(stepRecord(plan, train, config, same)).toEqual({ stepper: 'in-place', threads: 3 });
  });

  it('takes other steps where the machine does not have such', () => {
    const { bindSession: _, ...unbound } = backend;
    expect(backendAsBefore(steps, unbound, { stepper: 'in-place' })).toBe(unbound);
    const asked = { ...unbound, stepper: 'in-place' } as const;
    expect(() => backendAsBefore(steps, asked, { stepper: 'in-place' })).toThrow('--stepper: expected loop for wide');
  });
});
