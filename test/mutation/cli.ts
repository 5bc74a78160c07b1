/**
 * `npm run test:mutation -- training/graph [--sample 300] [--seed 1] [--only normalization]` changes the sources of a
 * room in small ways, one at a time, and lists the changes that no test notices.
 */
import { globSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { unexpected } from '../../training/files/index.ts';
import { compiling } from './compile.ts';
import { judge } from './judge.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { printReport } from './report.ts';

interface Room {
  /** The tests to which the room is entrusted, as globs; first those that notice much in little time. */
  readonly tests: readonly string[];
  readonly config: string;
}

const rooms: Readonly<Record<string, Room>> = {
  'training/graph': {
    tests: [
      'test/unit/graph/{adapt,adapt-forms,adapt-refusals,builder,check,inference,print}.test.ts',
      'test/unit/compile/onnx-nodes.test.ts',
      'test/unit/graph/file.test.ts',
      'test/unit/exporter/import-model.test.ts',
      'test/unit/compile/corners.test.ts',
      'test/unit/hostile/attacks.test.ts',
      'test/unit/autodiff/*.test.ts',
    ],
    config: 'tsconfig.json',
  },
  'training/autodiff': { tests: ['test/unit/autodiff/*.test.ts'], config: 'tsconfig.json' },
  'training/data': {
    tests: [
      'test/unit/data/*.test.ts',
      'test/unit/run/{choose-folds,samples}.test.ts',
      'test/unit/hostile/attacks.test.ts',
    ],
    config: 'tsconfig.json',
  },
  'worker/predict': {
    tests: [
      'test/unit/worker/{calls,picture-samples,rows-as-trained,rows-by-name}.test.ts',
      'test/worker/{kinds,as-is,predict,prepared,rows,why}.test.ts',
    ],
    config: 'worker/tsconfig.json',
  },
};

interface Options {
  readonly sample?: string;
  readonly seed: string;
  readonly only?: string;
  readonly quick: boolean;
}

/** Takes every n-th of the mutants, from a place that the seed says: each file gets its share. */
function sampled(mutants: readonly Mutant[], size: number, seed: number): Mutant[] {
  const step = Math.max(1, mutants.length / size);
  // The fractions of multiples of the golden ratio lie evenly between 0 and 1.
  const begin = ((seed * 0.6180339887498949) % 1) * step;
  const places = Array.from({ length: Math.min(size, mutants.length) }, (_, i) => Math.floor(begin + i * step));
  return places.flatMap((i) => mutants[i % mutants.length] ?? []);
}

const filesOf = (globs: readonly string[]): string[] => globs.flatMap((glob) => globSync(glob).toSorted());

async function main(name: string, { sample, seed, only = '', quick }: Options): Promise<void> {
  const room = rooms[name];
  if (!room) throw unexpected('mutation', Object.keys(rooms).join(', '), name);
  const names = filesOf([`${name}/**/*.ts`]).filter((file) => file.includes(only));
  const sources = new Map(names.map((file) => [file, readFileSync(file, 'utf8')]));
  const all = [...sources].flatMap(([file, source]) => mutantsOf(file, source));
  const chosen = sampled(all, Number(sample ?? all.length), Number(seed));
  console.log(`${all.length} mutants in ${names.length} files, of which ${chosen.length} are tried`);
  const mutants = compiling(chosen, room.config, sources);
  console.log(`${mutants.length} of them compile`);
  printReport(mutants, await judge(mutants, filesOf(room.tests), quick), sources);
}

await new Command('mutation')
  .description('Change a room in small ways, one at a time, and list the changes that no test notices.')
  .argument('<room>', Object.keys(rooms).join(', '))
  .option('--sample <n>', 'how many mutants to try; all when omitted')
  .option('--seed <n>', 'which of them', '1')
  .option('--only <text>', 'files with this in their path')
  .option('--quick', 'leave out mutants in what runs when a file is loaded: each takes a process of its own', false)
  .action(main)
  .parseAsync();
