/** SECURITY.md's promises about packages and secrets hold, and the tests that it names exist. */
import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

interface Component {
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly unknown[];
}

async function locked(): Promise<readonly (readonly [path: string, Locked])[]> {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  return Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);
}

it('every test that it names is there', async () => {
  const text = await readFile('SECURITY.md', 'utf8');
  const named = Array.from(text.matchAll(/`(test\/[^`]+)`/g), ([, path = '']) => path);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

it('the lock file has the version and the checksum of every package from a registry', async () => {
  const fromElsewhere = await locked();
  expect(fromElsewhere.length).toBeGreaterThan(200);
  const isHeld = ({ version, integrity = '', inBundle }: Locked) =>
    version !== undefined && (inBundle === true || integrity.startsWith('sha512-'));
  expect(fromElsewhere.filter(([, locked]) => !isHeld(locked)).map(([path]) => path)).toEqual([]);
});

it('no code reads the token of Cloudflare', async () => {
  const files = globSync('{training,exporter,worker}/**/*.{ts,mjs}').filter((path) => !path.includes('templates'));
  expect(files.length).toBeGreaterThan(200);
  const reading = /env(\.|\[['"`])CLOUDFLARE|API_TOKEN['"`]\s*\]/;
  const texts = await Promise.all(files.map(async (path) => [path, await readFile(path, 'utf8')] as const));
  expect(texts.filter(([, text]) => reading.test(text)).map(([path]) => path)).toEqual([]);
});

it('the bill of materials has every package that the lock file installs with this one, with its licence, and no other', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { maxBuffer: 2 ** 26 });
  const { components, dependencies } = JSON.parse(stdout) as {
    readonly components: readonly Component[];
    readonly dependencies: readonly { readonly ref: string }[];
  };
  const listed = components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`);
  const installed = (await locked()).flatMap(([path, { version = '', dev, devOptional, peer }]) =>
    dev || devOptional || peer ? [] : [`${path.split('node_modules/').at(-1) ?? ''}@${version}`],
  );
  expect(listed).toEqual(
    expect.arrayContaining(['sharp', 'protobufjs'].map((name) => expect.stringMatching(`^${name}@`) as string)),
  );
  expect(new Set(listed)).toEqual(new Set(installed));
  expect(components.filter(({ licenses = [] }) => licenses.length === 0)).toEqual([]);
  expect(dependencies).toHaveLength(new Set(components.map((each) => each['bom-ref'])).size + 1);
});
