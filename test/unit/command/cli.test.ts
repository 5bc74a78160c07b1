/** The command's help is complete, and only the called subcommand is loaded. */
import { join } from 'node:path';
import { Command } from 'commander';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import { groups, runProgram } from '../../../exporter/command/cli.ts';

const names = Object.values(groups).flatMap((group) => Object.keys(group));

/** Returns what the help of a command prints. */
async function help(...args: readonly string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await runProgram(args);
  } finally {
    spy.mockRestore();
  }
  return written.join('');
}

describe('bn-edge --help', () => {
  it('lists every command, the path from data to the edge, and examples, in the width of a terminal', async () => {
    const page = await help('--help');
    expect(page).toMatch(/^Usage: bn-edge <command> \[options\]\n/);
    for (const name of names) expect(page, name).toMatch(new RegExp(`^  ${name}( \\S+)?  +\\w.*$`, 'm'));
    expect(page).toMatch(/data ── train ──> .*\n.*wrangler dev \| deploy/);
    expect(page).toMatch(/\nExamples:\n {2}npx bn-edge init\n {2}npx bn-edge train churn\.csv --label churned\n/);
    expect(page.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('is what bn-edge prints without arguments, and bn-edge help', async () => {
    const page = await help('--help');
    expect(await help()).toBe(page);
    expect(await help('help')).toBe(page);
  });

  it('knows the version of the package', async () => {
    expect(await help('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('loads no subcommand, and of packages Commander alone', async () => {
    const { metafile } = await build({
      entryPoints: [join(import.meta.dirname, '../../../exporter/command/main.ts')],
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outdir: 'unused',
      write: false,
      metafile: true,
    });
    const outputs = Object.entries(metafile.outputs);
    const loaded = new Set(
      outputs.filter(([, { entryPoint }]) => entryPoint?.endsWith('command/main.ts')).map(([path]) => path),
    );
    for (const path of loaded) {
      for (const { path: imported, kind } of metafile.outputs[path]?.imports ?? []) {
        if (kind === 'import-statement') loaded.add(imported);
      }
    }
    const packages = [...loaded].filter((path) => !(path in metafile.outputs) && !path.startsWith('node:'));
    expect(packages).toEqual(['commander']);
    const files = outputs.filter(([path]) => loaded.has(path)).flatMap(([, { inputs }]) => Object.keys(inputs));
    expect(files).toContain('exporter/command/cli.ts');
    for (const name of names) expect(files).not.toContain(`exporter/command/${name}.ts`);
  });
});

describe.each(names)('bn-edge %s --help', (name) => {
  it('says what the command is for, has --json, and ends in two examples', async () => {
    const page = await help(name, '--help');
    expect(page).toMatch(new RegExp(`^Usage: bn-edge ${name} `));
    expect(page).toMatch(/\n\n[A-Z][^\n]+(\n[^\n]+)*\.\n/);
    expect(page).toContain('--json');
    expect(page).toMatch(new RegExp(`\\nExamples:\\n {2}npx bn-edge ${name}( .*)?\\n {2}npx bn-edge ${name} .*\\n$`));
    expect(page.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await help('help', name)).toBe(page);
  });
});

it('the examples of a command are read by it as they stand', async () => {
  for (const group of Object.values(groups)) {
    for (const [name, { load }] of Object.entries(group)) {
      const { configure } = await load();
      const page = await help(name, '--help');
      for (const [, line = ''] of page.matchAll(/^ {2}npx bn-edge (.*)$/gm)) {
        const command = new Command(name).exitOverride();
        await configure(command, []);
        command.action(() => undefined);
        const args = line.split(' ').slice(1);
        await expect(command.parseAsync(args, { from: 'user' }), line).resolves.toBe(command);
      }
    }
  }
});
