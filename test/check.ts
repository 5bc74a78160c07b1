/** `npm run check`: types and format beside lint, which takes twice as long as they. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

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
