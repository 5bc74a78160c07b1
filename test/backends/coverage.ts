/** Lists, as Markdown, which cases of each op every provider runs. */
import { opTypes } from '../reference/cases/index.ts';
import { type Coverage, coverageOf, type Direction, type ProviderName, providers } from './providers.ts';

const directions: readonly Direction[] = ['forward', 'gradient'];

/** Returns the table; `vitest -u` writes it to coverage.md. */
export function coverageTable(): string {
  const names = Object.keys(providers) as ProviderName[];
  const notes = new Map<string, number>();
  const cellOf = (coverage: Coverage): string => {
    const marks = coverage.reasons.map((reason) => {
      notes.set(reason, notes.get(reason) ?? notes.size + 1);
      return `[${notes.get(reason)}]`;
    });
    return [`${coverage.run}/${coverage.cases}`, ...marks].join(' ');
  };
  const columns = names.map(coverageOf);
  const rows = opTypes.map((op) => [
    op,
    ...columns.map((column) => directions.map((direction) => cellOf(column[op][direction])).join(', ')),
  ]);
  return [
    '# What runs where',
    '',
    'Written by `npx vitest run --project ort test/ort/backends.test.ts -u`. Cases that run of those there are: forward, gradient.',
    '',
    line(['op', ...names]),
    line(['--', ...names.map(() => '--')]),
    ...rows.map(line),
    '',
    ...[...notes].map(([reason, number]) => `- [${number}] ${reason}`),
    '',
  ].join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
