/** `bn-edge build --help` */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { openness } from '../deploy/openness.ts';
import { buildImage, ModelsError } from '../edge/build-image.ts';
import type { BuiltImage } from '../edge/built.ts';
import { newestFile, stampFile, tellFailure } from '../edge/out-folder.ts';
import { compareWithStock, describeBuild } from './describe-build.ts';
import { addModelsOption } from './model-options.ts';
import { stageLine } from './stage.ts';
import { UserError } from '../../training/files/index.ts';
import { answers, type Subcommand } from './subcommand.ts';

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
    answers<Flags>(command, page, async ({ table, ...flags }) => {
      const isDev = process.env['WRANGLER_COMMAND'] === 'dev';
      if (isDev && !(await isNewest(flags.out))) {
        console.error('another build has begun since, and has the newer models');
        return { out: flags.out, leftToAnother: true };
      }
      using stage = stageLine('image');
      try {
        const built = await buildImage({ ...flags, onStage: stage.show });
        stage.clear();
        for (const note of built.notes) console.error(`note: ${note}`);
        for (const { path, error } of built.leftOut) console.error(`left out: ${join(flags.models, path)}: ${error}`);
        console.log(describeBuild(built));
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
