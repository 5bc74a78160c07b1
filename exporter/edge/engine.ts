/**
 * Decides which models become programs of their own, as their cards ask, and says why the others stay with ONNX
 * Runtime.
 */

import { join } from 'node:path';
import {
  compile,
  CompileError,
  type CompileOptions,
  compileToText,
  type ProgramPort,
} from '../../training/compile/index.ts';
import { decodeAnyModel, decodeProto, GraphError } from '../../training/graph/index.ts';
import { oneLine, unexpected } from '../../training/files/index.ts';
import { opsetOf } from '../served/onnx-file.ts';
import { cardFile } from '../store/card.ts';
import type { SampleArray } from '../store/samples.ts';
import type { OnStage } from './built.ts';
import { loadRuntime } from './bundle.ts';
import type { Runtime } from './bundle.ts';
import { proveProgram } from './cases/program.ts';
import type { ProgramRecord, Session } from './runtime/index.ts';
import type { RoundedFolder } from './round-by-card.ts';
import { shapelessIn } from './shapeless.ts';
import { readStockModule } from './stages/stock-module.ts';

/** A model that has been compiled into a module of its own and proven. */
export interface CompiledModel {
  readonly wasm: Uint8Array;
  /** `wat` is the module's text, with comments. */
  readonly wat: string;
  readonly record: ProgramRecord;
  readonly cases: number;
  /** `watched` is the program that also returns what goes into the Batch Norm layers, if the model is watched. */
  readonly watched?: CompiledModel;
}

/** A model's program, or the reason why ONNX Runtime runs it; undefined if its card asks for ONNX Runtime. */
export type Chosen = CompiledModel | { readonly reason: string } | undefined;

export interface EngineOptions {
  /** `folder` is the one that the models were read from. */
  readonly folder: string;
  readonly fma: boolean;
  readonly onStage: OnStage;
}

/** Limits the opsets to those whose ops mean what the compiler assumes. */
const opsets = { min: 13, max: 24 };

/**
 * Compiles the models whose cards ask for it.
 *
 * @returns the result for each model; none for a model whose card asks for ONNX Runtime
 * @throws UserError if a card insists on a program and the model cannot have one
 */
export async function chooseEngines(
  models: readonly RoundedFolder[],
  { folder, fma, onStage }: EngineOptions,
): Promise<ReadonlyMap<RoundedFolder, Chosen>> {
  const chosen = new Map<RoundedFolder, Chosen>();
  let runtime: Runtime | undefined;
  for (const model of models) {
    if (model.engine === 'onnxruntime') continue;
    onStage('compile', model.about.path);
    runtime ??= await loadRuntime('shared');
    const made = await attempt(runtime, model, fma);
    if ('reason' in made && model.engine === 'compiled') {
      const where = `${join(folder, model.about.path, cardFile)}: engine`;
      throw unexpected(where, '"auto" or "onnxruntime"', `"compiled" (${made.reason})`);
    }
    chosen.set(model, made);
  }
  return chosen;
}

async function attempt(runtime: Runtime, model: RoundedFolder, fma: boolean): Promise<NonNullable<Chosen>> {
  const objection = objectionTo(model);
  if (objection !== undefined) return { reason: objection };
  const { about, files, samples, weights } = model;
  const made = await compileProven(runtime, `${about.path}/model`, files.model, { fma, samples, weights });
  if ('reason' in made || !files.watched) return made;
  const watched = await compileProven(runtime, `${about.path}/watched`, files.watched, { fma, samples, weights });
  return 'reason' in watched ? { reason: `watched, ${watched.reason}` } : { ...made, watched };
}

/**
 * Compiles an ONNX file and compares the program with the stock runtime.
 *
 * @param name of its session
 * @param file ONNX
 */
export async function compileProven(
  runtime: Runtime,
  name: string,
  file: Uint8Array,
  { samples, ...options }: CompileOptions & { readonly samples: SampleArray | undefined },
): Promise<NonNullable<Chosen>> {
  try {
    const { graph } = decodeAnyModel(file);
    const { wasm, inputs, outputs } = await compile(graph, options);
    const stock = await stockSession(runtime, name, file);
    const record = { inputs: described(inputs, stock.inputs), outputs: described(outputs, stock.outputs) };
    const program = new runtime.ProgramSession(name, new WebAssembly.Module(wasm.slice()), record);
    const proof = proveProgram({ runtime, stock, program, samples });
    if (typeof proof === 'string') return { reason: `it answers otherwise than stock: ${proof}` };
    return { wasm, wat: compileToText(graph, options), record, cases: proof };
  } catch (error) {
    if (error instanceof CompileError || error instanceof GraphError) return { reason: oneLine(error.message) };
    throw error;
  }
}

/** Returns the reason why a model cannot be compiled, as far as it is known without trying. */
function objectionTo({ engine, files, weightsIn }: RoundedFolder): string | undefined {
  if (weightsIn === 'assets') return "its weights are static assets, which ONNX Runtime's image reads";
  // Its twin needs ONNX Runtime, whose image would hold the weights a second time.
  if (engine === 'auto' && files.switchable) return 'its twin, which "explain" asks for, needs ONNX Runtime';
  const opset = opsetOf(decodeProto(files.model));
  if (opset < opsets.min || opset > opsets.max) return `expected opset ${opsets.min} to ${opsets.max}, got ${opset}`;
  return undefined;
}

async function stockSession(runtime: Runtime, name: string, file: Uint8Array): Promise<Session> {
  const models = { [name]: file };
  const module = new WebAssembly.Module(new Uint8Array(await readStockModule()));
  const started = await runtime.startStock((imports) => new WebAssembly.Instance(module, imports), models, {
    shapeless: shapelessIn(models),
  });
  const session = runtime.sessionsOf(started).get(name);
  if (!session) throw new Error(`internal: ${name} has no session`);
  return session;
}

/** Returns a program's inputs or outputs with ONNX Runtime's names for the free dimensions. */
function described(ports: readonly ProgramPort[], by: Session['inputs']): readonly ProgramPort[] {
  return ports.map((port) => {
    const value = by.find(({ name }) => name === port.name);
    if (!value) throw new CompileError(`${port.name}: expected it among ${by.map(({ name }) => name).join(', ')}`);
    const shape = port.shape.map((size, axis) => (typeof size === 'number' ? size : (value.shape[axis] ?? size)));
    return { ...port, shape };
  });
}
