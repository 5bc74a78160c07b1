/** Threads share rows: each row is computed once, whichever thread takes it and whenever a thread is ready. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { RowThreads } from '../../../training/backend/index.ts';
import { encodeText } from '../../../training/compile/passes/encode.ts';
import { importedMemory, type Wat } from '../../../training/compile/wat.ts';
import { range } from '../../reference/ndarray.ts';

const rows = 640;
const end = 65536;
const ownBytes = 64;

/**
 * Marks the thread's own memory, runs `first`, and adds 1 to the number of each of its rows. Before that, the first
 * thread polls for the mark of the last one: alone it would compute all rows before any other thread has woken up, on a
 * busy machine in every run.
 */
const counting = (first: Wat, count: number) => `(module
  ${importedMemory(65536)}
  (func $count (export "count") (param $row i32) (param $end i32) (param $own i32) (local $polls i32)
    (i32.store (local.get $own) (i32.const 1))
    ${first}
    (if (i32.eq (local.get $own) (i32.const ${end})) (
      (local.set $polls (i32.const 1000000))
      (loop $wait (br_if $wait (i32.mul
        (i32.eq (i32.atomic.load offset=0 (i32.const ${end + (count - 1) * ownBytes})) (i32.const 0))
        (local.tee $polls (i32.sub (local.get $polls) (i32.const 1))))))
    ))
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

function start(count: number, { first = '', repeatable = false } = {}, onEnd?: (how: string) => void): void {
  const functions = [{ name: 'count', rows, repeatable }];
  const wasm = encodeText(counting(first, count));
  threads = new RowThreads({ wasm, functions, segments: [], end, ownBytes }, count, onEnd);
}

const counts = () => new Set(new Int32Array(threads.memory.buffer, 0, rows));

/** Is true once this thread, of which number 0 is the one that runs this file, has taken rows. */
const hasTaken = (thread: number): boolean =>
  new DataView(threads.memory.buffer).getInt32(end + thread * ownBytes) !== 0;

/** Runs until another thread has taken rows that it never returns, whereupon all threads are ended. @returns the runs */
async function runUntilStuck(): Promise<number> {
  const ended = { isReleased: false, hasFailed: false };
  const ending = (async () => {
    while (!hasTaken(1) && !ended.hasFailed) await turn();
    await threads.release();
    ended.isReleased = true;
  })();
  let runs = 0;
  try {
    for (; !ended.isReleased; runs++) {
      await threads.run(0);
      await turn();
    }
  } finally {
    ended.hasFailed = !ended.isReleased;
    await ending;
  }
  return runs;
}

/** Runs at least `min` times, until each thread has taken rows. @returns the runs */
async function runUntilAllHaveTaken(count: number, min: number): Promise<number> {
  let runs = 0;
  for (; runs < min || !range(count).every(hasTaken); runs++) {
    await threads.run(0);
    await turn();
  }
  return runs;
}

describe('a row', () => {
  it.each([1, 2, 3])('is computed once in each run on %i threads', async (count) => {
    start(count);
    expect(counts()).toEqual(new Set([0]));
    const runs = await runUntilAllHaveTaken(count, 200);
    expect(counts()).toEqual(new Set([runs]));
  });

  it('that nobody gives back is computed by this thread, with all others once more', async () => {
    start(2, { first: neverEnds, repeatable: true });
    const runs = await runUntilStuck();
    const [fewest = 0, max = 0] = [...counts()].toSorted((a, b) => a - b);
    expect(fewest).toBe(runs);
    expect(max).toBe(runs + 1);
  });

  it('that must not be computed twice ends the run where its thread has ended', async () => {
    start(2, { first: neverEnds });
    await expect(runUntilStuck()).rejects.toThrow(
      'training: a thread has ended amid a step; --resume continues from the last checkpoint',
    );
  });
});

describe('the end of a thread', () => {
  it('is told once, and this thread computes the rows of all', async () => {
    const workers: Worker[] = [];
    const ends: string[] = [];
    const listen = (worker: Worker) => workers.push(worker);
    process.on('worker', listen);
    start(3, {}, (how) => ends.push(how));
    const before = await runUntilAllHaveTaken(3, 1);
    process.off('worker', listen);
    expect(workers).toHaveLength(2);
    await Promise.all(workers.map((worker) => worker.terminate()));
    for (let run = 0; run < 10; run++) await threads.run(0);
    expect(counts()).toEqual(new Set([before + 10]));
    expect(ends).toEqual(['exit status 1']);
  });

  it('is not told where the threads are released', async () => {
    const ends: string[] = [];
    start(3, {}, (how) => ends.push(how));
    await runUntilAllHaveTaken(3, 1);
    await threads.release();
    expect(ends).toEqual([]);
  });
});
