/**
 * Trains with Batch Norm while undoing its effect on the next layer: the output of each layer is shifted and scaled,
 * unit by unit, by random numbers that jump every few steps and that no layer can foresee. This follows Santurkar et
 * al. 2018, https://arxiv.org/abs/1805.11604, section 2.2, who draw new ones in every step.
 */
import { present } from '../../../training/arrays/index.ts';
import { createRandom, type Random } from '../../../training/data/index.ts';
import { layersOf, type Network, type Plan, planNetwork } from '../../../training/network/index.ts';
import type { State } from '../../../training/trainer/index.ts';
import type { Lab } from './lab.ts';
import { freshTensors, type Pause, type Settings, training } from './training.ts';

/** Holds the standard deviations of the shift, and of the logarithm of the factor. */
export const jitter = { shift: 0.5, factor: 0.25 } as const;

/** Maps the name of a layer to its `factor`, by which γ is multiplied, and its `shift`, which is added to β. */
type Jitter = ReadonlyMap<string, { readonly factor: Float32Array; readonly shift: Float32Array }>;

/** @param settings the settings of an optimizer without state of its own */
export async function* jitteredTraining(
  lab: Lab,
  network: Network,
  { steps, every, ...settings }: Settings & { readonly optimizer: 'sgd'; readonly every: number },
): AsyncGenerator<Pause> {
  const plan = planNetwork(network);
  const random = createRandom(settings.seed).fork('jitter');
  let clean = freshTensors(lab, plan, settings.seed);
  for (let step = 0; step < steps; step += every) {
    const drawn = draw(plan, random);
    const stretch = { ...settings, steps: every, seed: 10_000 * settings.seed + step, tensors: add(clean, drawn) };
    for await (const { loss, tensors } of training(lab, network, stretch)) {
      clean = remove(tensors, drawn);
      yield { step: step + every, loss, tensors };
    }
  }
}

function draw(plan: Plan, random: Random): Jitter {
  const norms = layersOf(plan).filter(({ layer }) => layer.kind === 'batchNorm');
  return new Map(
    norms.map(({ name, outputShape: [units = 0] }) => [
      name,
      {
        factor: Float32Array.from({ length: units }, () => Math.exp(jitter.factor * random.normal())),
        shift: Float32Array.from({ length: units }, () => jitter.shift * random.normal()),
      },
    ]),
  );
}

const add = (state: State, drawn: Jitter): State =>
  change(
    state,
    drawn,
    (gamma, factor) => gamma * factor,
    (beta, shift) => beta + shift,
  );

const remove = (state: State, drawn: Jitter): State =>
  change(
    state,
    drawn,
    (gamma, factor) => gamma / factor,
    (beta, shift) => beta - shift,
  );

type Combine = (value: number, by: number) => number;

function change(state: State, drawn: Jitter, scale: Combine, shift: Combine): State {
  const changed = new Map(state);
  const set = (name: string, by: Float32Array, combine: Combine) => {
    const tensor = state.get(name);
    if (tensor) changed.set(name, { ...tensor, data: tensor.data.map((value, i) => combine(value, present(by[i]))) });
  };
  for (const [layer, own] of drawn) {
    set(`${layer}.weight`, own.factor, scale);
    set(`${layer}.bias`, own.shift, shift);
  }
  return changed;
}
