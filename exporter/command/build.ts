/** The command `bn-edge build`, with its help. */
import { Option } from 'commander';
import { oneForAll } from '../edge/one-for-all.ts';
import { addModelsOption } from './models-option.ts';
import { type Answer, completeCommand, type Subcommand } from './subcommand.ts';

export interface BuildFlags {
  readonly models: string;
  readonly out: string;
  readonly trim: boolean;
  readonly fma: boolean;
  readonly emitWat: boolean;
  readonly stock: boolean;
  readonly table: boolean;
  readonly skipBad: boolean;
}

export const build: Subcommand = {
  configure: (command) => {
    addModelsOption(command)
      .addOption(new Option('--out <folder>', 'where the image goes').env('BN_EDGE_OUT').default('.bn-edge'))
      .option('--trim', 'also drop pages of memory that nothing read while every case was performed', false)
      .option(
        '--stock',
        'the unmodified runtime instead, larger and slower to start (also with EDGE_RUNTIME=stock)',
        process.env['EDGE_RUNTIME'] === 'stock',
      )
      .option(
        '--fma',
        'multiply and add at once, other bits than stock (hosts with relaxed SIMD: workerd, Node 22 and later)',
        false,
      )
      .option('--emit-wat', 'write the text of each compiled model beside its module, with comments', false)
      .option('--skip-bad', 'leave out models that cannot be built, and build the others (default: fail)', false)
      .option('--table', 'measure the image, beside the unmodified runtime', false);
    completeCommand<BuildFlags>(command, page, async (flags) =>
      process.env['WRANGLER_COMMAND'] === 'dev'
        ? ((await oneForAll(flags.out, () => perform(flags, true))) ?? { out: flags.out, leftToAnother: true })
        : perform(flags, false),
    );
    return undefined;
  },
};

/**
 * Loads what a build needs only when this process is to build: of ten processes that `wrangler dev` starts, one does
 * the work.
 */
async function perform(flags: BuildFlags, isDev: boolean): Promise<Answer> {
  const { performBuild } = await import('./perform-build.ts');
  return performBuild(flags, isDev);
}

const page = {
  description: 'Compile models/ into one edge image, which needs no other package and starts in milliseconds.',
  notes: `Wrangler runs it before each dev and deploy ([build] in wrangler.toml); it does
nothing where no model has changed. The folder holds image.mjs, its .wasm and
its types; the same image runs in a Worker, in Node and in a browser.`,
  examples: ['bn-edge build', 'bn-edge build --models ../models --out dist/image'],
} as const;
