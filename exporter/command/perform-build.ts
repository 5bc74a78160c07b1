/** Performs `bn-edge build` in the process whose turn it is. */
import { join } from 'node:path';
import { UserError } from '../../training/files/index.ts';
import { warningIfOpen, warningIfUncounted } from '../deploy/configuration.ts';
import { ModelsError } from '../edge/bad-models.ts';
import { buildImage, waiting } from '../edge/build-image.ts';
import type { BuiltImage, OnStage } from '../edge/built.ts';
import { recordFailure } from '../edge/out-folder.ts';
import type { BuildFlags } from './build.ts';
import { compareWithStock, describeBuild, describeSize } from './describe-build.ts';
import { stageLine } from './stage.ts';
import type { Answer } from './subcommand.ts';

/** @param isDev true if `wrangler dev` watches the models, and shows the output of every build on one terminal */
export async function performBuild({ table, ...flags }: BuildFlags, isDev: boolean): Promise<Answer> {
  using stage = stageLine('image');
  const onStage: OnStage = (what, of) => {
    // The build that this one waits for shows its own stages.
    stage.show(isDev && what === waiting ? '' : what, of);
  };
  try {
    const built = await buildImage({ ...flags, onStage });
    stage.clear();
    for (const note of built.notes) console.error(`note: ${note}`);
    for (const { path, error } of built.leftOut) console.error(`left out: ${join(flags.models, path)}: ${error}`);
    console.log(isDev && built.upToDate ? describeSize(built) : describeBuild(built));
    const unseen = await warningIfUncounted(built.models.flatMap(({ path, monitored }) => (monitored ? [path] : [])));
    if (unseen !== undefined) console.error(`note: ${unseen}`);
    const open = await warningIfOpen(process.env['WRANGLER_COMMAND']);
    if (open !== undefined) console.error(`note: ${open}`);
    if (table && !built.stock) console.log(await compareWithStock(flags.models, built));
    return answerOf(built);
  } catch (error) {
    stage.clear();
    if (!(error instanceof UserError)) throw error;
    const { models } = error instanceof ModelsError ? error : { models: [] };
    const reasons = models.length > 0 ? models.flatMap(({ error: reason }) => reason ?? []) : [error.message];
    const isServing = isDev && (await recordFailure(flags.out, reasons.join('\n')));
    if (models.length === 0 && !isServing) throw error;
    for (const reason of reasons) console.error(`error: ${reason}`);
    if (isServing) console.error('the previous models go on answering until these can be built');
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
