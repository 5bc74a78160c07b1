/** Threads share rows: each row is computed once, whichever thread takes it and whenever a thread is ready. */
import { once } from 'node:events';
import { setTimeout as passing } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { RowThreads } from '../../../training/backend/index.ts';
import { encodeText } from '../../../training/compile/passes/encode.ts';
import { importedMemory, type Wat } from '../../../training/compile/wat.ts';

const rows = 640;
const end = 65536;

/** Adds 1 to the number of each of its rows, after running `first`. */
const counting = (first: Wat) => `(module
  ${importedMemory(65536)}
  (func $count (export "count") (param $row i32) (param $end i32) (param $own i32)
    ${first}
    (loop $rows
      (i32.store (i32.mul (local.get $row) (i32.const 4))
        (i32.add (i32.load (i32.mul (local.get $row) (i32.const 4))) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $end))))
  )
)`;
/** Hangs any thread except the first. */
const neverEnds = `(if (i32.ge_u (local.get $own) (i32.const ${end + 1})) ((loop $ever (br_if $ever (i32.const 1)))))`;

let threads: RowThreads;
afterEach(() => threads.release());

/** Starts threads, and waits until they are ready before the first run. */
async function start(count: number, { first = '', repeatable = false } = {}): Promise<void> {
  const functions = [{ name: 'count', rows, repeatable }];
  const started: Promise<unknown>[] = [];
  const listen = (worker: Worker) => started.push(once(worker, 'online'));
  process.on('worker', listen);
  threads = new RowThreads({ wasm: encodeText(counting(first)), functions, segments: [], end, ownBytes: 64 }, count);
  await Promise.all(started);
  process.off('worker', listen);
  await passing(300);
}

const counts = () => new Set(new Int32Array(threads.memory.buffer, 0, rows));

/** Runs until another thread has taken rows that it never returns and all threads are ended. @returns the runs */
async function runUntilStuck(): Promise<number> {
  const ended = { isReleased: false };
  const ending = passing(1500).then(async () => {
    await threads.release();
    ended.isReleased = true;
  });
  let runs = 0;
  try {
    for (; !ended.isReleased; runs++) {
      await threads.run(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    await ending;
  }
  return runs;
}

describe('a row', () => {
  it.each([1, 2, 3])('is computed once in each run on %i threads', async (count) => {
    await start(count);
    expect(counts()).toEqual(new Set([0]));
    for (let run = 0; run < 200; run++) await threads.run(0);
    expect(counts()).toEqual(new Set([200]));
  });

  it('that nobody gives back is computed by this thread, with all others once more', async () => {
    await start(2, { first: neverEnds, repeatable: true });
    const runs = await runUntilStuck();
    const [fewest = 0, max = 0] = [...counts()].toSorted((a, b) => a - b);
    expect(fewest).toBe(runs);
    expect(max).toBe(runs + 1);
  });

  it('that must not be computed twice ends the run where its thread has ended', async () => {
    await start(2, { first: neverEnds });
    await expect(runUntilStuck()).rejects.toThrow(
      'training: a thread has ended amid a step; --resume goes on from the last checkpoint',
    );
  });
});
