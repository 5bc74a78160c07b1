/**
 * Which of three ways takes the steps of a run. It decides the last bits, so that it follows from the network, the settings and the
 * engine, never from a measurement: docs/decisions/0025-the-way-follows-from-the-network.md.
 */
import type { Backend, StepperName } from '../backend/index.ts';
import type { StaticProgram } from '../compile/index.ts';
import type { Dataset } from '../data/index.ts';
import type { Graph } from '../graph/index.ts';
import { unexpected } from '../files/index.ts';
import type { Plan } from '../network/index.ts';
import { CompiledStepper } from './compiled/compiled-stepper.ts';
import { compiledStep, isSmallStep } from './compiled/small-step.ts';
import type { TrainingConfig } from './config.ts';
import { gradientGraph } from './in-place/gradient-graph.ts';
import { isInPlace, openInPlaceStepper } from './in-place/in-place-stepper.ts';
import { LoopStepper } from './loop-stepper.ts';
import { trainingProgram } from './program.ts';
import { carriedState, type State } from './state.ts';
import { type StepProblem, stepProblem } from './step-problem.ts';
import type { Stepper } from './stepper.ts';

/** What takes the steps of a run, for its record: with the engine it decides the bits. */
export interface StepRecord {
  readonly stepper: StepperName;
  /** Of the processor, inside an op; none where they are another device's. */
  readonly threads?: number | undefined;
}

/** @throws UserError where the backend is told to use what it does not have for this network */
export async function openStepper(problem: StepProblem, backend: Backend, state: State): Promise<Stepper> {
  const { name, program } = choose(problem, backend);
  if (program) return new CompiledStepper(problem, program, state);
  const inPlace = name === 'in-place' ? await openInPlaceStepper(problem, backend, state) : undefined;
  return inPlace ?? openLoop(problem, backend, state);
}

/** @throws UserError as openStepper does */
export function stepRecord(plan: Plan, dataset: Dataset, config: TrainingConfig, backend: Backend): StepRecord {
  const problem = stepProblem(plan, dataset, config);
  const { name } = choose(problem, backend);
  if (name === 'compiled') return { stepper: name, threads: 1 };
  return { stepper: name, threads: backend.threadsOf?.(runtimeGraph(problem, name)) };
}

/** What the backend runs of a step; nothing where all of it is compiled. @throws UserError as openStepper does */
export function stepGraphFor(
  plan: Plan,
  dataset: Dataset,
  config: TrainingConfig,
  backend: Backend,
): Graph | undefined {
  const problem = stepProblem(plan, dataset, config);
  const { name } = choose(problem, backend);
  return name === 'compiled' ? undefined : runtimeGraph(problem, name);
}

const runtimeGraph = ({ plan, options }: StepProblem, name: StepperName): Graph =>
  name === 'in-place' ? gradientGraph(plan, options) : trainingProgram(plan, options);

/** As one line. */
export function describeSteps({ engine }: Backend, { stepper, threads }: StepRecord): string {
  const how = { compiled: `compiled for V8 ${process.versions.v8}`, 'in-place': 'in place', loop: 'in a Loop' }[
    stepper
  ];
  const on = threads === undefined ? '' : ` on ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return `${engine}, steps ${how}${on}`;
}

function choose(
  problem: StepProblem,
  backend: Backend,
): { readonly name: StepperName; readonly program?: StaticProgram } {
  const { stepper: asked } = backend;
  const mayCompile = backend.isProcessor === true && (asked ?? 'compiled') === 'compiled';
  const program = mayCompile ? programOf(problem, asked !== undefined) : undefined;
  if (program) return { name: 'compiled', program };
  const wantsInPlace = asked === 'in-place' || (asked === undefined && !isSmallStep(problem));
  if (wantsInPlace && isInPlace(problem, backend)) return { name: 'in-place' };
  if (asked === undefined || asked === 'loop') return { name: 'loop' };
  const others = asked === 'compiled' ? 'in-place or loop' : 'loop';
  throw unexpected('--stepper', `${others} for ${problem.plan.network.name} on the ${backend.name} backend`, asked);
}

/** Compiled once, for the record of a run and for the run. */
const programs = new WeakMap<
  TrainingConfig,
  { readonly plan: Plan; readonly key: string; readonly program?: StaticProgram | undefined }
>();

function programOf(problem: StepProblem, isAsked: boolean): StaticProgram | undefined {
  const { plan, config, options } = problem;
  const key = JSON.stringify([options.objective, isAsked]);
  const known = programs.get(config);
  if (known?.plan === plan && known.key === key) return known.program;
  const program = compiledStep(problem, isAsked ? Infinity : undefined);
  programs.set(config, { plan, key, program });
  return program;
}

async function openLoop(problem: StepProblem, backend: Backend, state: State): Promise<Stepper> {
  const { plan, options } = problem;
  const session = await backend.createSession(trainingProgram(plan, options));
  return new LoopStepper(problem, [...carriedState(plan, options).keys()], session, state);
}
