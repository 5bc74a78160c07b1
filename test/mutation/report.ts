/** Prints what became of the mutants: a table by file, and those that no test noticed. */
import type { Mutant } from './mutants.ts';

/** `endless`: noticed by a loop that did not end. `not met`: no test runs the place. */
export type Verdict = 'killed' | 'endless' | 'survived' | 'not met' | 'left out';

const columns = ['killed', 'endless', 'survived', 'not met', 'left out'] as const;

/** Shortens a piece of source to one line. */
const brief = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 40)} … ${line.slice(-18)}` : line || '(nothing)';
};

/** Leaves out what an edit keeps at both ends, but for a few letters. */
function difference(before: string, after: string): string {
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const from = Math.max(0, head - 15);
  const cut = (text: string): string => brief(text.slice(from, text.length - Math.max(0, tail - 15)));
  return `${cut(before)}  ->  ${cut(after)}`;
}

function describe({ file, start, end, text }: Mutant, source: string): string {
  const lines = source.slice(0, start).split('\n');
  return `${file}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}  ${difference(source.slice(start, end), text)}`;
}

function row(name: string, verdicts: readonly Verdict[]): string {
  const counts = columns.map((column) => verdicts.filter((verdict) => verdict === column).length);
  const [killed = 0, endless = 0, survived = 0, notMet = 0] = counts;
  const tried = killed + endless + survived + notMet;
  const share = tried === 0 ? '' : `${((100 * (killed + endless)) / tried).toFixed(1)} %`;
  return [name.padEnd(48), ...counts.map((count) => String(count).padStart(9)), share.padStart(9)].join('');
}

export function printReport(
  mutants: readonly Mutant[],
  verdicts: ReadonlyMap<number, Verdict>,
  sources: ReadonlyMap<string, string>,
): void {
  const judged = mutants.map((mutant, id) => ({ mutant, verdict: verdicts.get(id) ?? 'not met' }));
  console.log([''.padEnd(48), ...columns.map((column) => column.padStart(9)), 'noticed'.padStart(9)].join(''));
  for (const [file, list] of Map.groupBy(judged, ({ mutant }) => mutant.file)) {
    console.log(
      row(
        file,
        list.map(({ verdict }) => verdict),
      ),
    );
  }
  console.log(
    row(
      'all',
      judged.map(({ verdict }) => verdict),
    ),
  );
  for (const { mutant, verdict } of judged) {
    if (verdict === 'survived' || verdict === 'not met')
      console.log(`${verdict}: ${describe(mutant, sources.get(mutant.file) ?? '')}`);
  }
}
