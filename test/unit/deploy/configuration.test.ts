/** A deployment says whether anyone may call the Worker. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wranglerToml } from '../../../exporter/command/init-files.ts';
import { warningIfOpen } from '../../../exporter/deploy/configuration.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-open-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const turnedOn = (toml: string, ...lines: readonly string[]): string =>
  lines.reduce((text, line) => text.replace(`# ${line}`, line), toml);

describe('a deployment of what `bn-edge init` writes', () => {
  it.each(['deploy', 'versions upload'])('by %s says that the endpoint is open and unmetered', async (command) => {
    await writeFile(join(folder, 'wrangler.toml'), await wranglerToml('app'));
    expect(await warningIfOpen(command, folder)).toBe(
      'the endpoint is open and unmetered, unless it has the secret API_KEY: npx wrangler secret put API_KEY, and turn on the rate limit in wrangler.toml',
    );
  });

  it.each(['dev', 'types', undefined])('is none by %s', async (command) => {
    await writeFile(join(folder, 'wrangler.toml'), await wranglerToml('app'));
    expect(await warningIfOpen(command, folder)).toBeUndefined();
  });

  it.each([
    ['the key that it asks for', ['[secrets]', 'required = ["API_KEY"]']],
    ['its rate limit', ['[[ratelimits]]', 'name = "RATE_LIMITER"', 'namespace_id = "1001"', 'simple = { limit']],
  ])('says nothing with %s turned on', async (_, lines) => {
    const toml = turnedOn(await wranglerToml('app'), ...lines);
    await writeFile(join(folder, 'wrangler.toml'), toml);
    expect(await warningIfOpen('deploy', folder)).toBeUndefined();
  });

  it('reads JSON, too', async () => {
    await writeFile(join(folder, 'wrangler.jsonc'), '{\n  // "vars": { "API_KEY": "" }\n}');
    expect(await warningIfOpen('deploy', folder)).toContain('wrangler.jsonc');
    await writeFile(join(folder, 'wrangler.jsonc'), '{\n  "ratelimits": [{ "name": "RATE_LIMITER" }]\n}');
    expect(await warningIfOpen('deploy', folder)).toBeUndefined();
  });

  it('says nothing where there is no configuration', async () => {
    expect(await warningIfOpen('deploy', folder)).toBeUndefined();
  });
});

it('this project has the same lines as the template', async () => {
  const own = await readFile('wrangler.toml', 'utf8');
  expect(own.replace('name = "bn-edge"', 'name = "app"')).toBe(await wranglerToml('app'));
});
