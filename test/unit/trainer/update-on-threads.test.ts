/** Several threads change the state by a step to the same bits as one thread. */
import { describe, expect, it } from 'vitest';
import { batchNorm, dense, type Network, planNetwork, relu } from '../../../training/network/index.ts';
import { optimizers } from '../../../training/optimizer/index.ts';
import { layoutOf } from '../../../training/trainer/in-place/layout.ts';
import { compileUpdate, isLarge, openMemory, type StateMemory } from '../../../training/trainer/in-place/memory.ts';
import { seeded } from '../../reference/random.ts';

const network = (units: number): Network => ({
  name: 'wide',
  inputShape: [100],
  inputNormalization: 'feature',
  layers: [dense(units), batchNorm(), relu(), dense(3)],
});
const layoutFor = (units: number, options: Options) => layoutOf(planNetwork(network(units)), options, new Set());

type Options = Parameters<typeof compileUpdate>[1];
const adam: Options = { optimizer: optimizers.adam(), bnMomentum: 0.9 };

/** Runs several updates of the same state by the same gradients. */
async function updated(options: Options, threads: number | undefined): Promise<StateMemory> {
  const layout = layoutFor(601, options);
  const update = compileUpdate(layout, options, threads !== undefined);
  if (!update) throw new Error('expected a compiled update');
  const memory = openMemory(layout, update, threads);
  const random = seeded(3);
  for (const { data } of memory.tensors.values()) for (let i = 0; i < data.length; i++) data[i] = random();
  memory.scalars.fill(0.1);
  for (let step = 0; step < 20; step++) await memory.update();
  return memory;
}

describe('the state after an update', () => {
  it.each<[string, Options]>([
    ['adam', adam],
    ['adam with clipped gradients, decay and averages', { ...adam, clipNorm: 0.5, weightDecay: 0.1, ema: 0.9 }],
    ['rmsprop', { ...adam, optimizer: optimizers.rmsprop() }],
  ])('has the same bits on one thread and on three: %s', async (_, options) => {
    const [alone, together] = [await updated(options, undefined), await updated(options, 3)];
    for (const [name, { data }] of alone.tensors) {
      const at = data.findIndex((value, i) => !Object.is(value, together.tensors.get(name)?.data[i]));
      expect(at, `${name}[${at}]: ${data[at]} and ${together.tensors.get(name)?.data[at]}`).toBe(-1);
    }
    expect([alone.isFinite(), together.isFinite()]).toEqual([true, true]);
    await together.release();
  });

  it('is that of threads where there is more to change than it takes to wake one up', () => {
    expect([100, 601].map((units) => isLarge(layoutFor(units, adam)))).toEqual([false, true]);
  });
});
