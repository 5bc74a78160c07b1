/** Reads the documents that people read, and finds parts of them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');

export interface Document {
  /** The path below the root. */
  readonly path: string;
  readonly text: string;
}

export const documents: readonly Document[] = globSync(
  ['*.md', 'docs/**/*.md', 'exporter/**/*.md', 'training/**/*.md', 'test/**/*.md'],
  {
    cwd: root,
  },
)
  .filter((path) => !path.includes('node_modules'))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Returns the contents of the fenced blocks of a language, in order. */
export const fenced = ({ text }: Document, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, content = '']) => content);

/** Returns the text without its fenced blocks. */
export const prose = ({ text }: Document): string => text.replace(/^ *```.*?^ *```/gms, '');

/** Returns the anchors of a document's headings, as GitHub makes them. */
export const anchors = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
