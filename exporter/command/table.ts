import Table from 'cli-table3';

/** Rows without lines between them; all columns but the first, or those that are named, stand to the right. */
export const plainTable = (head: readonly string[], left: readonly string[] = head.slice(0, 1)): Table.Table =>
  new Table({
    head: [...head],
    colAligns: head.map((name) => (left.includes(name) ? 'left' : 'right')),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });
