/**
 * Measures what each lowering pass gains: training steps with all passes beside steps without one of them, in one
 * process on one thread. Both take turns, and the result is the median of the rounds' ratios of CPU time: 1.10 means
 * that a step without the pass takes 10 % more.
 */
import Table from 'cli-table3';
import { Command } from 'commander';
import type { BoundSession } from '../../../training/backend/index.ts';
import { encodeModel, type Graph } from '../../../training/graph/index.ts';
import { lowerBy } from '../../../training/lowering/index.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { median } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { conv2d, batchNorm, dense, flatten, type Layer, maxPool, relu } from '../../../training/network/index.ts';
import { type Case, cases } from '../training/networks.ts';
import {
  type AllPasses,
  allPasses,
  type Machine,
  machineFor,
  openStep,
  stepOf,
  type Way,
  ways,
  without,
} from './steps.ts';

const convolutional = (name: string, side: number, ...normalized: readonly Layer[]): Case => ({
  network: {
    name,
    inputShape: [1, side, side],
    inputNormalization: 'channel',
    layers: [
      ...[16, 32].flatMap((units) => [conv2d(units, { kernel: 3, padding: 1 }), ...normalized, relu(), maxPool(2)]),
      ...[flatten(), dense(128), ...normalized, relu(), dense(10)],
    ],
  },
  batchSize: 64,
  data: 'pictures',
});

/** The named networks, and two for passes that find no work in these: their poolings are not part of a block. */
const all: readonly Case[] = [
  ...cases.filter(({ underLoad }) => !underLoad),
  convolutional('cnn-plain', 28),
  convolutional('cnn-odd', 29, batchNorm()),
];

interface Options {
  readonly only?: readonly string[];
  readonly passes?: readonly string[];
  readonly ways: readonly Way[];
  readonly rounds: string;
}

async function main({ only, passes, ways: chosen, rounds }: Options): Promise<void> {
  console.log(`${describeMachine()}, ${describeLoad()}`);
  const table = new Table({ head: ['network, batch', 'way', 'ms', 'pass', 'without : with', 'quartiles'] });
  for (const way of chosen) {
    const machine = await machineFor(way);
    for (const each of all) {
      const title = `${each.network.name}, ${each.batchSize}`;
      if (only && !only.includes(title)) continue;
      await measure(machine, stepOf(each, way), { passes, rounds: Number(rounds) }, (...cells) => {
        console.error([title, way, ...cells].join(' | '));
        table.push([title, way, ...cells]);
      });
    }
  }
  console.log(`${table.toString()}\n${describeLoad()}`);
}

type OnRow = (time: string, pass: string, ratio: string, quartiles: string) => void;

/** Measures every pass that changes the graph, or those of the given names. */
async function measure(
  machine: Machine,
  graph: Graph,
  { passes, rounds }: { readonly passes?: readonly string[] | undefined; readonly rounds: number },
  onRow: OnRow,
): Promise<void> {
  const all = allPasses(machine);
  const whole = await openStep(machine, graph, all);
  if (!whole) return;
  await cpuTimeOf(whole, 3);
  const steps = Math.ceil(turn / (await cpuTimeOf(whole, 3)));
  for (const name of Object.keys({ ...all.first, ...all.left })) {
    const fewer = without(all, name);
    if ((passes && !passes.includes(name)) || isSame(graph, all, fewer, name)) continue;
    const other = await openStep(machine, graph, fewer);
    if (!other) {
      onRow('', name, 'not cut', '');
      continue;
    }
    await cpuTimeOf(other, 3);
    const times = await interleave(
      [
        { name: 'with', run: () => cpuTimeOf(whole, steps) },
        { name: 'without', run: () => cpuTimeOf(other, steps) },
      ],
      rounds,
    );
    const [own, others] = [times.get('with') ?? [], times.get('without') ?? []];
    const ratios = others.map((time, i) => time / (own[i] ?? NaN)).toSorted((a, b) => a - b);
    const quartile = (share: number) => (ratios[Math.round(share * (ratios.length - 1))] ?? NaN).toFixed(2);
    onRow(median(own).toFixed(2), name, median(ratios).toFixed(3), `${quartile(0.25)} – ${quartile(0.75)}`);
    await other.release();
  }
  await whole.release();
}

/** The CPU milliseconds of one turn. Turns are short, so that other load on the machine affects both sides alike. */
const turn = 20;

/** Returns the CPU milliseconds of a step. */
async function cpuTimeOf(session: BoundSession, steps: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < steps; i++) await session.run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / steps / 1000;
}

/**
 * Returns whether the pass changes nothing. The parts that are left to ONNX Runtime are known only once the graph is
 * cut, so their passes are always measured.
 */
const isSame = (graph: Graph, all: AllPasses, fewer: AllPasses, name: string): boolean =>
  !(name in all.left) && lowered(graph, all).equals(lowered(graph, fewer));

const lowered = (graph: Graph, { first }: AllPasses): Buffer => Buffer.from(encodeModel(lowerBy(graph, first)));

const command = new Command()
  .option('--only <titles...>', 'networks and batches, as "mnist-cnn, 64"')
  .option('--passes <names...>', 'all when omitted')
  .option('--ways <ways...>', ways.join(' | '), ['native', 'rows'])
  .option('--rounds <count>', 'in which both take turns', '60');

await main(command.parse().opts<Options>());
