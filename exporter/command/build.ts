/** `bn-edge build --help` */
import { Option } from 'commander';
import { buildImage, ModelsError } from '../edge/build-image.ts';
import type { BuiltImage } from '../edge/built.ts';
import { compareWithStock, describeBuild } from './describe-build.ts';
import { addModelsOption } from './model-options.ts';
import { clearStage, showStage } from './stage.ts';
import { answers, type Subcommand } from './subcommand.ts';

interface Flags {
  readonly models: string;
  readonly out: string;
  readonly trim: boolean;
  readonly stock: boolean;
  readonly table: boolean;
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
      .option('--table', 'measure the image, beside the unmodified runtime', false);
    answers<Flags>(command, page, async ({ table, ...flags }) => {
      try {
        const built = await buildImage({ ...flags, onStage: showStage });
        clearStage();
        for (const note of built.notes) console.error(`note: ${note}`);
        console.log(describeBuild(built));
        if (table && !built.stock) console.log(await compareWithStock(flags.models, built));
        return answerOf(built);
      } catch (error) {
        clearStage();
        if (!(error instanceof ModelsError)) throw error;
        process.exitCode = 1;
        for (const { error: reason } of error.models) if (reason !== undefined) console.error(`error: ${reason}`);
        return answerOf({ out: flags.out, upToDate: false, models: error.models });
      }
    });
    return undefined;
  },
};

const answerOf = ({
  out,
  upToDate,
  models,
  bytes,
}: Pick<BuiltImage, 'out' | 'upToDate' | 'models'> & Partial<BuiltImage>) => ({
  out,
  upToDate,
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
