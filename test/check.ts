/**
 * Runs `npm run check`: lint, types, format and the search for exports that nothing imports, side by side. The package is
 * built first, since the examples import it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'build.ts'], { stdio: 'inherit' });

const sideBySide = [
  'oxlint --type-aware',
  'tsc && tsc -p worker && tsc -p worker/page',
  'oxfmt --check',
  'knip --no-progress',
];

const codes = await Promise.all(
  sideBySide.map(async (commands) => {
    const [code] = (await once(spawn(commands, { shell: true, stdio: 'inherit' }), 'exit')) as [number | null];
    return code;
  }),
);
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
