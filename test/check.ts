/** `npm run check`: types and format beside lint, which takes twice as long as they. Examples import the package as it was built. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'build.ts'], { stdio: 'inherit' });

const sideBySide = [
  'eslint . --max-warnings 0',
  'tsc && tsc -p worker && tsc -p worker/page && prettier --check . --log-level warn',
];

const codes = await Promise.all(
  sideBySide.map(async (commands) => {
    const [code] = (await once(spawn(commands, { shell: true, stdio: 'inherit' }), 'exit')) as [number | null];
    return code;
  }),
);
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
