/** `bn-edge build --help` */
import { join } from 'node:path';
import { Option } from 'commander';
import { openness } from '../deploy/openness.ts';
import { buildImage, ModelsError, waiting } from '../edge/build-image.ts';
import type { BuiltImage, OnStage } from '../edge/built.ts';
import { oneForAll, tellFailure } from '../edge/out-folder.ts';
import { compareWithStock, describeBuild, describeSize } from './describe-build.ts';
import { addModelsOption } from './model-options.ts';
import { stageLine } from './stage.ts';
import { UserError } from '../../training/files/index.ts';
import { type Answer, answers, type Subcommand } from './subcommand.ts';

interface Flags {
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
        'compiled models multiply and add at once (hosts with relaxed SIMD: workerd, Node 22 and later)',
        false,
      )
      .option('--emit-wat', 'write the text of each compiled model beside its module, with comments', false)
      .option('--skip-bad', 'leave out models that cannot be built, and build the others (default: fail)', false)
      .option('--table', 'measure the image, beside the unmodified runtime', false);
    answers<Flags>(command, page, async (flags) =>
      process.env['WRANGLER_COMMAND'] === 'dev'
        ? ((await oneForAll(flags.out, () => perform(flags, true))) ?? { out: flags.out, leftToAnother: true })
        : perform(flags, false),
    );
    return undefined;
  },
};

/** @param isDev whether `wrangler dev` watches the models, and shows what every build prints on one terminal */
async function perform({ table, ...flags }: Flags, isDev: boolean): Promise<Answer> {
  using stage = stageLine('image');
  const onStage: OnStage = (what, of) => {
    // The build that is waited for tells what it is at.
    stage.show(isDev && what === waiting ? '' : what, of);
  };
  try {
    const built = await buildImage({ ...flags, onStage });
    stage.clear();
    for (const note of built.notes) console.error(`note: ${note}`);
    for (const { path, error } of built.leftOut) console.error(`left out: ${join(flags.models, path)}: ${error}`);
    console.log(isDev && built.upToDate ? describeSize(built) : describeBuild(built));
    const open = await openness(process.env['WRANGLER_COMMAND']);
    if (open !== undefined) console.error(`note: ${open}`);
    if (table && !built.stock) console.log(await compareWithStock(flags.models, built));
    return answerOf(built);
  } catch (error) {
    stage.clear();
    if (!(error instanceof UserError)) throw error;
    const { models } = error instanceof ModelsError ? error : { models: [] };
    const reasons = models.length > 0 ? models.flatMap(({ error: reason }) => reason ?? []) : [error.message];
    const isServing = isDev && (await tellFailure(flags.out, reasons.join('\n')));
    if (models.length === 0 && !isServing) throw error;
    for (const reason of reasons) console.error(`error: ${reason}`);
    if (isServing) console.error('the models of before go on answering, until these can be built');
    else process.exitCode = 1;
    return answerOf({ out: flags.out, upToDate: false, models });
  }
}

const answerOf = ({
  out,
  upToDate,
  models,
  leftOut = [],
  bytes,
}: Pick<BuiltImage, 'out' | 'upToDate' | 'models'> & Partial<BuiltImage>) => ({
  out,
  upToDate,
  leftOut,
  models: models.map(({ error = null, ...model }) => ({ ...model, error })),
  ...(bytes && { bytes }),
});

const page = {
  description: 'Compile models/ into one image, which needs no other package and starts in milliseconds.',
  notes: `Wrangler runs it before each dev and deploy ([build] in wrangler.toml); it does
nothing where no model has changed. The folder holds image.mjs, its .wasm and
its types; the same image runs in a Worker, in Node and in a browser.`,
  examples: ['bn-edge build', 'bn-edge build --models ../models --out dist/image'],
} as const;
