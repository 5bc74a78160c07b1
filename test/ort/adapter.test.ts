/** A machine without a working GPU adapter gets an error message that explains it. */
import { afterEach, expect, it, vi } from 'vitest';
import { BackendUnavailable, createBackend, webgpuBackend } from '../../training/backend/index.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const withoutAdapter = () =>
  vi.stubEnv('VK_ICD_FILENAMES', '/nonexistent.json').stubEnv('VK_DRIVER_FILES', '/nonexistent.json');

it.runIf(process.platform === 'linux')('webgpu without an adapter says what to install', async () => {
  withoutAdapter();
  const attempt = webgpuBackend();
  await expect(attempt).rejects.toThrow(BackendUnavailable);
  await expect(attempt).rejects.toThrow(/^webgpu backend: expected a GPU adapter, got none; install .*libvulkan1/);
});

it('an adapter that does not answer is given up', async () => {
  await expect(webgpuBackend({ timeout: 1 })).rejects.toThrow(
    'webgpu backend: the adapter did not answer within 0.001 s',
  );
});

it.runIf(process.platform === 'linux')('auto then takes the native backend and says so', async () => {
  withoutAdapter();
  const lines: string[] = [];
  const backend = await createBackend('auto', {}, (line) => lines.push(line));
  expect(backend.name).toBe('native');
  expect(lines).toEqual([expect.stringMatching(/^passed over: webgpu backend: /)]);
});

it('more threads than any machine has cores are refused, in place of ending the process', async () => {
  await expect(createBackend('native', { threads: 1_000_000 }, () => undefined)).rejects.toThrow(
    '--threads: expected at most 1024, got 1000000',
  );
});
