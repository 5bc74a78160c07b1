/**
 * Adapts ONNX files of other programs to this project's ops: ops that combine others, attributes that only state a
 * default, constants that are nodes. Everything else stays as it is, and is refused by the reader.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.19.0/docs/Operators.md
 */
import { constants, type DecodeTensor } from './constants.ts';
import { elementwise } from './elementwise.ts';
import { type AttributeProto, Foreign, type NodeProto, type Reading, type Rule } from './foreign.ts';
import { linalg } from './linalg.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import { reduction } from './reduction.ts';
import { resizing } from './resize.ts';
import { opSchemas } from '../schemas/index.ts';
import { GraphError } from '../types.ts';
import { window } from './window.ts';

export type { Reading } from './foreign.ts';

/** Adds one of the file's nodes to the graph that is being read: as it is, or replaced. */
export type Adapt = (node: NodeProto, reading: Reading) => void;

export const asItIs: Adapt = (node, reading) => {
  reading.add(node);
};

export function adaptWith(decode: DecodeTensor): Adapt {
  const rules: Readonly<Record<string, Rule | undefined>> = {
    ...elementwise,
    ...reduction,
    ...window,
    ...linalg,
    ...movement,
    ...resizing,
    ...normalization,
    ...constants(decode),
  };
  return (given, reading) => {
    const node = withoutDefaults(given);
    const isOnnx = !node.domain || node.domain === 'ai.onnx';
    const rule = isOnnx && Object.hasOwn(rules, node.opType ?? '') ? rules[node.opType ?? ''] : undefined;
    if (rule?.(new Foreign(node, reading))) return;
    if (rule && !Object.hasOwn(opSchemas, node.opType ?? ''))
      throw new GraphError(`${node.name || node.output?.[0] || ''}: this form of ${node.opType ?? ''} is not covered`);
    reading.add(node);
  };
}

/** Tests for attributes that only state the default. */
const defaults: Readonly<Record<string, ((attribute: AttributeProto) => boolean) | undefined>> = {
  allowzero: ({ i }) => Number(i) === 0,
  select_last_index: ({ i }) => Number(i) === 0,
  saturate: ({ i }) => Number(i) === 1,
};

const withoutDefaults = (node: NodeProto): NodeProto => ({
  ...node,
  attribute: (node.attribute ?? []).filter((one) => defaults[one.name ?? '']?.(one) !== true),
});
