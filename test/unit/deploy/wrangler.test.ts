/** What Wrangler did is read from the lines that it wrote, also where it was killed while it wrote one. */
import { describe, expect, it } from 'vitest';
import { parseLines } from '../../../exporter/deploy/wrangler.ts';

const upload = '{"type":"version-upload","version_id":"a1"}';

describe('the lines of Wrangler', () => {
  it.each([
    ['end with a line break', `${upload}\n`],
    ['end without one', upload],
    ['are cut off within a text', `${upload}\n{"type":"dep`],
    ['are cut off after an inner object', `${upload}\n{"type":"deploy","targets":{"a":{}}`],
  ])('are read where they %s', (_where, ndjson) => {
    expect(parseLines(ndjson)).toEqual([{ type: 'version-upload', version_id: 'a1' }]);
  });
});
