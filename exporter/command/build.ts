/** `bn-edge build --help` */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { buildImage, ModelsError } from '../edge/build-image.ts';
import type { BuiltImage } from '../edge/built.ts';
import { newestFile, stampFile } from '../edge/out-folder.ts';
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
      if (process.env['WRANGLER_COMMAND'] === 'dev' && !(await isNewest(flags.out))) {
        console.error('another build has begun since, and has the newer models');
        return { out: flags.out, leftToAnother: true };
      }
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

/** In which the files of one change have all been written, and each has started its build. */
const settleMs = 300;

/** `wrangler dev` starts a build for every file that changes, ten for one `bn-edge add`: all but the last leave the work to it. */
export async function isNewest(out: string): Promise<boolean> {
  if (!existsSync(join(out, stampFile))) return true;
  const [file, own] = [join(out, newestFile), randomUUID()];
  await writeFile(file, own);
  await sleep(settleMs);
  return (await readFile(file, 'utf8')) === own;
}

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
