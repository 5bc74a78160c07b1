/** The cases of every op: forward, and backward where there is a gradient. */
import type { OpType } from '../../../training/graph/index.ts';
import { type Case, type CaseTable } from './case.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { linalg } from './linalg.ts';
import { movement } from './movement.ts';
import { network } from './network.ts';
import { reduction } from './reduction.ts';

const table: CaseTable<OpType> = { ...elementwise, ...reduction, ...linalg, ...convolution, ...movement, ...network };

/** Lists every op that the builder can emit. */
export const opTypes = Object.keys(table) as readonly OpType[];

/** Gives each case a name for its test. */
export const opCases: readonly (Case & { readonly op: OpType; readonly name: string })[] = opTypes.flatMap((op) =>
  table[op].map((row) => ({ ...row, op, name: `${op}: ${row.about}` })),
);
