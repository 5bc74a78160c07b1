/** `bn-edge build --help` */
import { Option } from 'commander';
import { count } from '../../training/files/index.ts';
import { type BuiltImage, buildImage } from '../edge/build-image.ts';
import { modelNames } from '../store/models-folder.ts';
import { addModelsOption } from './model-options.ts';
import { clearStage, showStage } from './stage.ts';
import { answers, type Subcommand } from './subcommand.ts';
import { plainTable } from './table.ts';

interface Flags {
  readonly models: string;
  readonly out: string;
  readonly trim: boolean;
  readonly stock: boolean;
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
      );
    answers<Flags>(command, page, async (flags) => {
      modelNames(flags.models);
      const start = performance.now();
      const built = await buildImage({ ...flags, onStage: showStage });
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      print(built, flags.stock ? 'stock runtime' : 'specialised runtime', seconds);
      if (built.models.some(({ ok }) => !ok)) process.exitCode = 1;
      const { out, upToDate, models } = built;
      return {
        out,
        upToDate,
        models: models.map(({ name, version, gzipBytes, cases, ok, error = null }) => ({
          name,
          version,
          gzipBytes,
          cases,
          ok,
          error,
        })),
      };
    });
    return undefined;
  },
};

function print({ upToDate, out, models }: BuiltImage, runtime: string, seconds: string): void {
  clearStage();
  const table = plainTable(['model', 'version', 'gzip', 'cases', ''], ['model', '']);
  for (const { name, version, gzipBytes, twin, cases } of models) {
    table.push([
      name,
      version,
      `${count(gzipBytes / 1000)} kB`,
      count(cases),
      twin ? 'twice: its card says explain' : '',
    ]);
  }
  console.log(table.toString());
  for (const { name, error } of models) if (error !== undefined) console.error(`error: ${name}: ${error}`);
  console.log(
    upToDate
      ? `${out} is up to date`
      : `wrote ${out} (${runtime}) in ${seconds} s; every case verified: the same bits, the same errors`,
  );
}

const page = {
  description: 'Compile models/ into one image, which needs no other package and starts in milliseconds.',
  notes: `Wrangler runs it before each dev and deploy ([build] in wrangler.toml); it does
nothing where no model has changed. The folder holds image.mjs, its .wasm and
its types; the same image runs in a Worker, in Node and in a browser.`,
  examples: ['bn-edge build', 'bn-edge build --models ../models --out dist/image'],
} as const;
