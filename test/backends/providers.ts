/**
 * Lists the providers that run the suite of conformance.ts, and the cases that each leaves out, with the reason.
 * coverage.md shows all of them.
 */
import type { OpType } from '../../training/graph/index.ts';
import { opCases, opTypes } from '../reference/cases/index.ts';

export type OpCase = (typeof opCases)[number];
export type Direction = 'forward' | 'gradient';

/** Returns why a provider does not run a case; undefined when it does. */
type SkipReason = (row: OpCase, direction: Direction) => string | undefined;

/**
 * Returns whether an op is of the NCHWc layout (channels in blocks), which ONNX Runtime has on some processors, among
 * them all x64.
 */
export const isOfVectors = ({ op }: OpCase): boolean => op.startsWith('com.microsoft.nchwc.');

const standard: SkipReason = (row) => (isOfVectors(row) ? 'native has it alone, on x64' : undefined);

const webgpu: SkipReason = (row, direction) =>
  row.op === 'MaxPool' && direction === 'forward'
    ? 'MaxPool gives no Indices; its gradient does without'
    : standard(row, direction);

/** The ops that WebGPU rewrites to other ops, so that all of their cases must run. */
const rewritten = new Set<OpType>(['BatchNormalization', 'ConvTranspose', 'MaxPool', 'SoftmaxCrossEntropyLoss']);

const softwareAdapter: SkipReason = (row) =>
  row === opCases.find(({ op }) => op === row.op) || rewritten.has(row.op)
    ? undefined
    : 'slow: only the first case of each op';

export const providers = {
  /** ONNX Runtime's CPU kernels, after the passes for training. */
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
  /** The distinct reasons of the cases that are not run. */
  readonly reasons: readonly string[];
}

/** The type requires an entry for every op. */
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
