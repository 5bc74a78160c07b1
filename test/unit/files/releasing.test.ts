/** Tests that resources are released on every path, and that no error hides another. */
import { describe, expect, it, vi } from 'vitest';
import { UserError, releasing, releasingOnError } from '../../../training/files/index.ts';

const failure = new UserError('no such device');
const open = (): Promise<never> => Promise.reject(failure);
const brokenRelease = (message: string) => ({ release: () => Promise.reject(new Error(message)) });

describe('releasingOnError', () => {
  it('releases nothing where opening succeeds', async () => {
    const release = vi.fn(() => Promise.resolve());
    await expect(releasingOnError([{ release }], () => Promise.resolve(7))).resolves.toBe(7);
    expect(release).not.toHaveBeenCalled();
  });

  it('releases everything where opening fails, and throws the same error', async () => {
    const releases = [vi.fn(() => Promise.resolve()), vi.fn(() => Promise.resolve())];
    await expect(
      releasingOnError(
        releases.map((release) => ({ release })),
        open,
      ),
    ).rejects.toBe(failure);
    for (const release of releases) expect(release).toHaveBeenCalledOnce();
    expect(failure).not.toHaveProperty('suppressed');
  });

  it('keeps the first error, and the errors of releasing beside it', async () => {
    const release = vi.fn(() => Promise.resolve());
    const error = new UserError('out of memory');
    const held = [brokenRelease('a'), brokenRelease('b'), { release }];
    await expect(releasingOnError(held, () => Promise.reject(error))).rejects.toBe(error);
    expect(error).toMatchObject({ message: 'out of memory', suppressed: [{ message: 'a' }, { message: 'b' }] });
    expect(release).toHaveBeenCalledOnce();
  });

  it('keeps a first failure that is no error, too', async () => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- foreign code may reject with anything
    const opening = releasingOnError([brokenRelease('a')], () => Promise.reject('code 3'));
    await expect(opening).rejects.toMatchObject({ message: 'code 3', errors: ['code 3', { message: 'a' }] });
  });
});

describe('releasing', () => {
  it('releases at the end of the block, also by an error', async () => {
    const release = vi.fn(() => Promise.resolve());
    const work = async (): Promise<never> => {
      await using held = releasing({ release });
      return await Promise.reject(new Error(`fails while ${typeof held} is held`));
    };
    await expect(work()).rejects.toThrow('fails while object is held');
    expect(release).toHaveBeenCalledOnce();
  });
});
