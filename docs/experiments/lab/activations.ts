/** Computes what Batch Norm gets to normalize: z of the project's networks, untrained, on MNIST. */
import { at } from '../../../training/arrays/index.ts';
import type { Tensor } from '../../../training/graph/index.ts';
import { layersOf, type NetworkName, networks, planNetwork } from '../../../training/network/index.ts';
import { channelsOf, type Moments, moments } from './channels.ts';
import { firstOf, type Lab } from './lab.ts';
import { createProbe } from './probe.ts';
import { freshTensors } from './training.ts';

export interface Activations {
  readonly network: NetworkName;
  /** Names the Batch Norm layer, such as `bn2`. */
  readonly layer: string;
  /** `[samples, C, ..]` */
  readonly z: Tensor<'float32'>;
  /** Holds μ and σ² of each channel. */
  readonly channels: readonly Moments[];
}

/** Computes z in front of every Batch Norm layer, on the first validation images. */
export async function activationsOf(
  lab: Lab,
  network: NetworkName,
  samples: number,
  seed: number,
): Promise<readonly Activations[]> {
  const plan = planNetwork(networks[network]);
  const layers = layersOf(plan);
  const norms = layers.flatMap(({ layer, name, outputShape }, i) => {
    const before = layers[i - 1];
    const op = before?.layer.kind === 'conv2d' ? 'Conv' : 'Gemm';
    return layer.kind === 'batchNorm' && before ? [{ name, outputShape, node: `${before.name}/${op}` }] : [];
  });
  const nodes = norms.map(({ node }) => node);
  const probe = await createProbe(lab, plan, nodes, 'batchStatistics');
  const values = await probe(freshTensors(lab, plan, seed), firstOf(lab.data.validation, samples));
  return norms.map(({ name, outputShape, node }) => {
    const data = values[node];
    if (!data) throw new Error(`internal: no values of ${node}`);
    const channels = channelsOf(data, at(outputShape, 0), samples).map(moments);
    return { network, layer: name, z: { dtype: 'float32', shape: [samples, ...outputShape], data }, channels };
  });
}
