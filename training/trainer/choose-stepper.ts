/**
 * Chooses which of three ways takes the steps of a run. The way decides the last bits of the results. It therefore
 * follows from the network, the settings and the engine; where it is measured instead, the run's record says so
 * (docs/decisions/0025-the-way-follows-from-the-network.md).
 */
import { type Backend, type StepperName, threadCount, threadsInDoubt } from '../backend/index.ts';
import type { StaticProgram, Threads } from '../compile/index.ts';
import type { Dataset } from '../data/index.ts';
import type { Graph } from '../graph/index.ts';
import { unexpected } from '../files/index.ts';
import type { Plan } from '../network/index.ts';
import { CompiledStepper } from './compiled/compiled-stepper.ts';
import { compiledStep, isSmallStep, maxThreads, mayShare } from './compiled/small-step.ts';
import { stepGraph } from './compiled/step-graph.ts';
import type { TrainingConfig } from './config.ts';
import { gradientGraph } from './in-place/gradient-graph.ts';
import { isInPlace, openInPlaceStepper } from './in-place/in-place-stepper.ts';
import { LoopStepper } from './loop-stepper.ts';
import { loopGraph } from './loop-graph.ts';
import { carriedState, type State } from './state.ts';
import { type StepProblem, stepProblem } from './step-problem.ts';
import type { Stepper } from './stepper.ts';

/** The way in which a run takes its steps, for its record: together with the engine it decides the bits. */
export interface StepRecord {
  readonly stepper: StepperName;
  /** The number of the processor's threads inside an op; absent where another device computes. */
  readonly threads?: number | undefined;
}

/**
 * Opens the stepper that suits the problem, or the one that the backend requests.
 *
 * @throws UserError where the backend requests a way that it does not have for this network
 */
export async function openStepper(problem: StepProblem, backend: Backend, state: State): Promise<Stepper> {
  const { name, program } = choose(problem, backend);
  if (program) return new CompiledStepper(problem, program, state);
  const inPlace = name === 'in-place' ? await openInPlaceStepper(problem, backend, state) : undefined;
  return inPlace ?? openLoop(problem, backend, state);
}

/**
 * Returns the record of the way that `openStepper` chooses.
 *
 * @throws UserError as openStepper does
 */
export function stepRecord(plan: Plan, dataset: Dataset, config: TrainingConfig, backend: Backend): StepRecord {
  const problem = stepProblem(plan, dataset, config);
  const { name, program } = choose(problem, backend);
  if (program) return { stepper: name, threads: program.threads };
  return { stepper: name, threads: backend.threadsOf?.(runtimeGraph(problem, name)) };
}

/**
 * Returns the graph that the backend runs for a step, or that is compiled.
 *
 * @throws UserError as openStepper does
 */
export function stepGraphFor(plan: Plan, dataset: Dataset, config: TrainingConfig, backend: Backend): Graph {
  const problem = stepProblem(plan, dataset, config);
  return graphOf(problem, choose(problem, backend).name);
}

function graphOf(problem: StepProblem, name: StepperName): Graph {
  const { plan, options } = problem;
  return name === 'compiled' ? stepGraph(plan, options) : runtimeGraph(problem, name);
}

const runtimeGraph = ({ plan, options }: StepProblem, name: StepperName): Graph =>
  name === 'in-place' ? gradientGraph(plan, options) : loopGraph(plan, options);

/**
 * Returns the ways that may be fastest on a machine with this many cores, from few threads to many: the one that
 * follows from the network, and a compiled step on two threads where products are narrow enough for it to keep up.
 *
 * @throws UserError as openStepper does
 */
export function stepsInDoubt(
  plan: Plan,
  dataset: Dataset,
  config: TrainingConfig,
  backend: Backend,
  cores: number,
): readonly StepRecord[] {
  const problem = stepProblem(plan, dataset, config);
  const { name } = choose(problem, backend);
  const onTwo = canShare(problem, backend, cores) ? [{ stepper: 'compiled', threads: 2 } as const] : [];
  if (name === 'compiled') return [{ stepper: name, threads: 1 }, ...onTwo];
  const threads = threadsInDoubt(runtimeGraph(problem, name), cores);
  return [...threads.map((each) => ({ stepper: name, threads: each })), ...onTwo];
}

/** Is true when the step can be compiled for two threads, and that may be worth it. */
function canShare(problem: StepProblem, backend: Backend, cores: number): boolean {
  if (!backend.isCpu || (backend.stepper ?? 'compiled') !== 'compiled') return false;
  const threads = maxThreads({ ...backend, threads: cores });
  return threads === 2 && mayShare(problem) && programOf(problem, threads, true) !== undefined;
}

/** Describes in one line which engine takes the steps, and in which way. */
export function describeSteps({ engine }: Backend, { stepper, threads }: StepRecord): string {
  const how = { compiled: `compiled for V8 ${process.versions.v8}`, 'in-place': 'in place', loop: 'in a Loop' }[
    stepper
  ];
  const on = threads === undefined ? '' : ` on ${threadCount(threads)}`;
  return `${engine}, steps ${how}${on}`;
}

function choose(
  problem: StepProblem,
  backend: Backend,
): { readonly name: StepperName; readonly program?: StaticProgram } {
  const { stepper: asked } = backend;
  const mayCompile = backend.isCpu === true && (asked ?? 'compiled') === 'compiled';
  const program = mayCompile ? programOf(problem, maxThreads(backend), asked !== undefined) : undefined;
  if (program) return { name: 'compiled', program };
  const wantsInPlace = asked === 'in-place' || (asked === undefined && !isSmallStep(problem));
  if (wantsInPlace && isInPlace(problem, backend)) return { name: 'in-place' };
  if (asked === undefined || asked === 'loop') return { name: 'loop' };
  const others = asked === 'compiled' ? 'in-place or loop' : 'loop';
  throw unexpected('--stepper', `${others} for ${problem.plan.network.name} on the ${backend.name} backend`, asked);
}

/** Caches the compiled step by configuration: the record of a run and the run itself both need it. */
const programs = new WeakMap<
  TrainingConfig,
  { readonly plan: Plan; readonly key: string; readonly program?: StaticProgram | undefined }
>();

function programOf(problem: StepProblem, threads: Threads, isAsked: boolean): StaticProgram | undefined {
  const { plan, config, options } = problem;
  const key = JSON.stringify([options.objective, isAsked, threads]);
  const known = programs.get(config);
  if (known?.plan === plan && known.key === key) return known.program;
  const program = compiledStep(problem, { threads, ...(isAsked && { multiplications: Infinity }) });
  programs.set(config, { plan, key, program });
  return program;
}

async function openLoop(problem: StepProblem, backend: Backend, state: State): Promise<Stepper> {
  const { plan, options } = problem;
  const session = await backend.createSession(loopGraph(plan, options));
  return new LoopStepper(problem, [...carriedState(plan, options).keys()], session, state);
}
