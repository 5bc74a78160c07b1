/** Archives are followed only where their records agree with each other. */
import { zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { readZip } from '../../../training/data/zip.ts';
import { UserError } from '../../../training/files/errors.ts';

const content = Buffer.from('abcabcabcabcabcabc');
const archive = (comment = '', level: 0 | 9 = 9): Buffer => {
  const bytes = Buffer.from(zipSync({ 'a.txt': content, 'b.txt': Buffer.from('b') }, { level }));
  bytes.writeUInt16LE(comment.length, bytes.length - 2);
  return Buffer.concat([bytes, Buffer.from(comment)]);
};
const end = archive().length - 22;
const directory = archive().readUInt32LE(end + 16);
const second = directory + 46 + 5;

const unpacked = (bytes: Uint8Array) =>
  readZip(bytes, 'f').map(({ name, unpack }) => [name, Buffer.from(unpack()).toString()]);

it.each([
  ['deflated', archive()],
  ['stored', archive('', 0)],
  ['with a comment', archive('PK and more')],
  ['with the longest comment', archive('x'.repeat(0xffff))],
])('an archive %s is read', (_, bytes) => {
  expect(unpacked(bytes)).toEqual([
    ['a.txt', content.toString()],
    ['b.txt', 'b'],
  ]);
});

it.each<[string, (bytes: Buffer) => unknown, string]>([
  [
    'a directory of another size',
    (f) => f.writeUInt32LE(1, end + 12),
    `expected a directory of ${end - directory} bytes at ${directory}, got 1 bytes`,
  ],
  [
    'a directory elsewhere',
    (f) => f.writeUInt32LE(0, end + 16),
    `expected a directory of ${end} bytes at 0, got ${end - directory} bytes`,
  ],
  ['a file more', (f) => f.writeUInt16LE(3, end + 10), 'expected 3 files in the archive, got 2'],
  ['a comment longer than it is', (f) => f.writeUInt16LE(1, end + 20), 'expected a ZIP archive, got something else'],
  [
    'a record that is none',
    (f) => f.writeUInt8(0, second),
    `expected a file's record at ${second}, got something else`,
  ],
  [
    'a record that is too long',
    (f) => f.writeUInt16LE(1, second + 32),
    `expected records up to ${end}, got one up to ${end + 1}`,
  ],
  ['a name that comes twice', (f) => f.write('a', second + 46), 'expected different names, got "a.txt" twice'],
  ['content that is none', (f) => f.writeUInt8(0, 0), '"a.txt": expected its content at 0, got something else'],
  [
    'content in the directory',
    (f) => f.writeUInt32LE(directory, directory + 42),
    `"a.txt": expected its content at ${directory}, got something else`,
  ],
  [
    'content behind the file',
    (f) => f.writeUInt32LE(0xffffff, directory + 42),
    '"a.txt": expected its content at 16777215, got something else',
  ],
  [
    'content that reaches into the directory',
    (f) => f.writeUInt32LE(directory, directory + 20),
    `"a.txt": expected at most ${directory - 35} packed bytes, got ${directory}`,
  ],
  [
    'another method',
    (f) => f.writeUInt16LE(9, directory + 10),
    '"a.txt": expected a stored or deflated file, got method 9',
  ],
  ['a size that is smaller', (f) => f.writeUInt32LE(17, directory + 24), '"a.txt": expected 17 bytes, got more'],
  ['a size that is larger', (f) => f.writeUInt32LE(19, directory + 24), '"a.txt": expected 19 bytes, got 18'],
  [
    'another checksum',
    (f) => f.writeUInt32LE(0, directory + 16),
    '"a.txt": expected content with its checksum, got damaged content',
  ],
])('an archive is refused with %s', (_, change, message) => {
  const bytes = archive();
  change(bytes);
  expect(() => unpacked(bytes)).toThrow(new UserError(`f: ${message}`));
});
