/**
 * Defines what inference finds out about a column, and the notes and problems that columns of several kinds share:
 * gaps, and cells of another kind.
 */
import type { Column } from '../columns/index.ts';
import { count, quote } from '../files/index.ts';
import type { DataSource } from './options.ts';
import type { ColumnProfile } from './profile.ts';

export type GivenKind = NonNullable<DataSource['kinds']>[string];

/** Describes a column to the user, as a line of a table. */
export interface ColumnSummary {
  readonly name: string;
  readonly kind: string;
  /** The range of its numbers, or its first categories. */
  readonly values: string;
  /** The number of rows without a value. */
  readonly missing: number;
  /** Says what was done with the column beyond reading it. */
  readonly done: string;
}

/** The result for a column after the file has been read once. */
export interface Inferred {
  /** Null where the column is left out. */
  readonly column: Column | null;
  readonly summary: ColumnSummary;
  readonly notes: readonly string[];
  /** The problems that the user has to decide, without the file's name. */
  readonly problems: readonly string[];
}

export interface InferenceOptions {
  readonly kind: GivenKind | undefined;
  /** The imputation of its gaps, where the user says so. */
  readonly imputation: string | undefined;
  /** Is true where gaps are refused. */
  readonly refusesGaps: boolean;
  readonly rows: number;
}

/** Describes the cells that are not of the column's kind. */
interface Others {
  readonly count: number;
  readonly areMissing: boolean;
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** One empty list serves all columns, of which there may be a hundred thousand. */
export const NONE: readonly string[] = [];
const NO_OTHERS: Others = { count: 0, areMissing: false, notes: NONE, problems: NONE };

/**
 * Judges the cells that are not of the column's kind: they count as missing where an imputation is given, and are a
 * problem otherwise.
 */
export function othersOf(
  profile: ColumnProfile,
  kind: 'number' | 'date',
  { rows, imputation }: InferenceOptions,
): Others {
  const { name, firstWord, missing } = profile;
  const present = rows - missing;
  const others = present - profile.counts()[kind];
  if (others === 0) return NO_OTHERS;
  const got = firstWord ? quote(firstWord.text) : kind === 'number' ? 'a date' : 'a number';
  if (imputation !== undefined && imputation !== 'refuse') {
    return {
      count: others,
      areMissing: true,
      notes: [
        `column ${quote(name)}: ${count(others)} cells that are no ${kind}, such as ${got}, are taken for missing`,
      ],
      problems: [],
    };
  }
  const flag = flagName(profile);
  const where = `${firstWord ? `line ${firstWord.line}, ` : ''}column ${quote(name)}`;
  const share = others > present / 2 ? '' : `, as ${count(present - others)} of ${count(present)} cells are`;
  const remedies = `--${kind === 'number' ? 'numeric' : 'date'} ${flag} --missing ${flag}=median takes it for missing, --categorical ${flag} takes all as texts, --ignore ${flag} leaves the column out`;
  const problem = `${where}: expected a ${kind}${share}, got ${got}; ${remedies}`;
  return { count: others, areMissing: false, notes: [], problems: [problem] };
}

/** Reports the gaps of a column whose gaps the user refuses. */
export function gapProblems(profile: ColumnProfile, { refusesGaps, rows }: InferenceOptions): readonly string[] {
  const { name, missing, firstMissing } = profile;
  if (missing === 0 || !refusesGaps) return NONE;
  const flag = flagName(profile);
  const all = `${count(missing)} of ${count(rows)} rows have none`;
  return [
    `line ${firstMissing}, column ${quote(name)}: expected a value, got none (${all}); leave out --missing refuse, or say --missing ${flag}=HOW or --ignore ${flag}`,
  ];
}

/** Writes a column's name as a flag takes it. */
export const flagName = ({ name }: Pick<ColumnProfile, 'name'>): string =>
  /^[\w.-]+$/.test(name) ? name : quote(name);

/** Formats a number with six digits at most. */
export const short = (value: number): string => `${Number(value.toPrecision(6))}`;
