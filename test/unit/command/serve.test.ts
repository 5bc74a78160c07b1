/** A Worker that does not start is an error with what was printed, however its process ends. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const serve = new URL('../../../exporter/command/serve.ts', import.meta.url).href;
const script = `
  const { serveLocally } = await import('${serve}');
  await serveLocally(8790).catch(({ message }) => { console.log(message); });
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-serve-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Serves in a project whose Wrangler runs the given code. @returns what is printed */
async function serveWith(code: string): Promise<string> {
  const wrangler = join(folder, 'node_modules/wrangler');
  await mkdir(join(wrangler, 'bin'), { recursive: true });
  await writeFile(join(wrangler, 'package.json'), '{}');
  await writeFile(join(wrangler, 'bin/wrangler.js'), code);
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
  return stdout;
}

describe('a Worker that does not get ready', () => {
  it.each([
    ['exits', 'process.exit(1)'],
    ['is killed', "process.kill(process.pid, 'SIGKILL')"],
  ])('is told once its process %s', async (_how, end) => {
    const printed = await serveWith(`process.stdout.write('no memory\\n', () => { ${end}; });`);
    expect(printed).toBe('wrangler dev: the Worker did not get ready:\nno memory\n');
  });
});
