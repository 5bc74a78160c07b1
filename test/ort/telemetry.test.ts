/**
 * ONNX Runtime's native binary does not report to its makers: if it did, it would leave an identifier of the machine and
 * a log in the folder for temporary files.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const program = `
  import { nativeBackend } from './training/backend/index.ts';
  import { graphBuilder } from './training/graph/index.ts';
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [1] });
  const session = await (await nativeBackend()).createSession(g.build('twice', { y: g.Add(x, x) }));
  await session.release();
`;

it('a process that computes reports to nobody', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { ORT_DISABLE_TELEMETRY: _, ...others } = process.env;
  execFileSync(process.execPath, ['--import', 'tsx', '--input-type', 'module', '--eval', program], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...others, TMPDIR: folder },
  });
  const left = (await readdir(folder)).filter((name) => !name.startsWith('tsx-'));
  expect(left).toEqual([]);
});
