/**
 * What runs the suite of conformance.ts, and what each of them leaves out, with the reason. coverage.md is the list of it:
 * whatever is not run is named there.
 */
import type { OpType } from '../../training/graph/index.ts';
import { opCases, opTypes } from '../reference/cases/index.ts';

export type OpCase = (typeof opCases)[number];
export type Direction = 'forward' | 'gradient';

/** Why a provider does not run a case; undefined when it does. */
type SkipReason = (row: OpCase, direction: Direction) => string | undefined;

/** Channels in blocks: ONNX Runtime has them on some processors, and on x64 always. */
export const isOfVectors = ({ op }: OpCase): boolean => op.startsWith('com.microsoft.nchwc.');

const standard: SkipReason = (row) => (isOfVectors(row) ? 'native has it alone, on x64' : undefined);

const webgpu: SkipReason = (row, direction) =>
  row.op === 'MaxPool' && direction === 'forward'
    ? 'MaxPool gives no Indices; its gradient does without'
    : standard(row, direction);

/** The ops that WebGPU runs in other ops: all their cases count. */
const rewritten = new Set<OpType>(['BatchNormalization', 'ConvTranspose', 'MaxPool', 'SoftmaxCrossEntropyLoss']);

const softwareAdapter: SkipReason = (row) =>
  row === opCases.find(({ op }) => op === row.op) || rewritten.has(row.op)
    ? undefined
    : 'slow: only the first case of each op';

export const providers = {
  /** ONNX Runtime's CPU kernels, behind the passes for training. */
  native: () => undefined,
  wasm: standard,
  'WebGPU on a GPU': webgpu,
  'WebGPU in software': (row, direction) => webgpu(row, direction) ?? softwareAdapter(row, direction),
  /** The graphs as they are exported, without passes. */
  'wasm in workerd': standard,
  'edge image in workerd': standard,
} as const satisfies Readonly<Record<string, SkipReason>>;

export type ProviderName = keyof typeof providers;

export function skipReason(provider: ProviderName, row: OpCase, direction: Direction): string | undefined {
  const noGradient = direction === 'gradient' ? row.forwardOnly : undefined;
  return noGradient ?? providers[provider](row, direction);
}

export interface Coverage {
  readonly cases: number;
  readonly run: number;
  /** Of the cases that are not run, each once. */
  readonly reasons: readonly string[];
}

/** No op may be left out. */
type CoverageOfOps = { readonly [O in OpType]: Readonly<Record<Direction, Coverage>> };

export function coverageOf(provider: ProviderName): CoverageOfOps {
  const entries = opTypes.map((op) => [
    op,
    { forward: coverage(provider, op, 'forward'), gradient: coverage(provider, op, 'gradient') },
  ]);
  return Object.fromEntries(entries) as CoverageOfOps;
}

function coverage(provider: ProviderName, op: OpType, direction: Direction): Coverage {
  const rows = opCases.filter((row) => row.op === op);
  const reasons = rows.flatMap((row) => skipReason(provider, row, direction) ?? []);
  return { cases: rows.length, run: rows.length - reasons.length, reasons: [...new Set(reasons)] };
}
