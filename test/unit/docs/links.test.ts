/** The targets of all links in the documents exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, documents, prose, root } from './documents.ts';

const links = documents.flatMap((document) =>
  [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => ({ document, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target)),
);

describe('every link inside the repository leads somewhere', () => {
  it.each(links)('$document.path: $target', ({ document, target }) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(root, document.path) : join(root, dirname(document.path), path);
    expect(existsSync(file), `${document.path}: ${target} does not exist`).toBe(true);
    if (anchor !== undefined && file.endsWith('.md')) {
      expect([...anchors(readFileSync(file, 'utf8'))]).toContain(anchor);
    }
  });
});

const sources = globSync('{*,{docs,exporter,test,training,worker}/**/*}.ts', { cwd: root });

it.each(documents.filter(({ path }) => path !== 'CHANGELOG.md'))('$path names sources that exist', ({ text }) => {
  const named = [...text.matchAll(/`([a-z][\w./-]*\.ts)`/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !sources.some((source) => source === name || source.endsWith(`/${name}`)))).toEqual([]);
});

it('README fits on a page of 150 lines', () => {
  const readme = documents.find(({ path }) => path === 'README.md');
  expect(readme?.text.split('\n').length).toBeLessThanOrEqual(151);
});
