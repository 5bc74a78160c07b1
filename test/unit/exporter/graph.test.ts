/** The nodes that an export adds before and behind the network are right in the reference interpreter. */
import { describe, expect, test } from 'vitest';
import { exportGraph } from '../../../exporter/model/inference-graph.ts';
import type { TrainedModel } from '../../../training/checkpoint/model.ts';
import { type Network, planNetwork } from '../../../training/network/index.ts';
import { evaluate } from '../../reference/evaluate.ts';

const model = (network: Partial<Network>, facts: Partial<TrainedModel> = {}): TrainedModel => ({
  plan: planNetwork({ name: 'net', inputShape: [1], inputNormalization: 'none', layers: [], ...network }),
  tensors: new Map(),
  classes: [],
  record: undefined,
  ...facts,
});

function answer(exported: TrainedModel, shape: readonly number[], x: readonly number[]) {
  const graph = exportGraph(exported, 'running');
  const [output] = Object.entries(evaluate(graph, { features: { shape, data: Float64Array.from(x) } }));
  return output && [output[0], [...output[1].data]];
}

describe('an exported graph', () => {
  test('fills in what is missing, in the columns that allow it', () => {
    const exported = model({ inputShape: [3], categories: [0, 2, 0], fills: [7, 1, null] });
    expect(answer(exported, [2, 3], [NaN, NaN, NaN, 1, 0, 2])).toEqual(['prediction', [7, NaN, 0, 1, 1, 2, 1, 0]]);
  });

  test('tells the layers what was missing, and has a place of its own for a missing category', () => {
    const exported = model({ inputShape: [2], categories: [0, 3], fills: [7, 2], indicators: [0] });
    expect(answer(exported, [2, 2], [NaN, NaN, 1, 0])).toEqual(['prediction', [7, 0, 0, 1, 1, 1, 1, 0, 0, 0]]);
  });

  test('has no such nodes where nothing may be missing', () => {
    const columns = [{ kind: 'numeric', name: 'a', fill: null }] as const;
    expect(exportGraph(model({}, { columns }), 'running').nodes.map(({ op }) => op)).not.toContain('IsNaN');
  });

  test('gives the one logit of two classes as two', () => {
    expect(answer(model({}, { classes: ['no', 'yes'] }), [2, 1], [3, -2])).toEqual(['logits', [0, 3, 0, -2]]);
  });
});
