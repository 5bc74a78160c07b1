/** Vitest as the mutation run needs it: one process, mutants in the sources, a runner that wakes them. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { instrumented, type Mutant } from './mutants.ts';
import type { Plan } from './plan.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';

const plan = JSON.parse(readFileSync(process.env['MUTATION_PLAN'] ?? '', 'utf8')) as Plan;
const byFile = new Map<string, Map<number, Mutant>>();
for (const id of plan.alive) {
  const mutant = plan.mutants[id];
  if (mutant) byFile.set(mutant.file, (byFile.get(mutant.file) ?? new Map<number, Mutant>()).set(id, mutant));
}

/** Keeps the order of the plan: what a fast test notices need not be tried with slow ones. */
class AsPlanned extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => plan.tests.indexOf(relative(process.cwd(), moduleId));
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  plugins: [
    {
      name: 'mutants',
      enforce: 'pre',
      transform(code, id) {
        const mutants = byFile.get(relative(process.cwd(), id));
        return mutants && { code: instrumented(code, mutants), map: null };
      },
    },
  ],
  test: {
    include: [...plan.tests],
    exclude: [],
    sequence: { sequencer: AsPlanned },
    runner: 'test/mutation/runner.ts',
    isolate: false,
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 60_000,
    update: false,
    // The cache on disk would give files with the mutants of another run.
    fsModuleCache: false,
    dangerouslyIgnoreUnhandledErrors: true,
  },
});
