/**
 * A program for two threads. Both threads share kernels that are large enough; the first thread does the others. They
 * meet before and after everything that they share:
 *
 *     run    meet ▏small kernels ▏meet ▏half of a product ▏meet ▏half of a sum ▏meet ▏small kernels ▏meet
 *     help   meet ▏              ▏meet ▏the other half    ▏meet ▏the other half▏meet ▏              ▏meet   … and again
 *
 * The thread that arrives first waits in a busy loop, and sleeps after some microseconds, so that it does not take time
 * from other processes. Between two steps, `help` waits in its first meeting.
 */
import type { Emit, Kernel } from './kernels/kernel.ts';
import { call, comment, get, i32, set, type Wat } from './wat.ts';

export type Threads = 1 | 2;

/** The number of elements from which half of a kernel takes longer than a meeting, which costs some microseconds. */
const minWork = 8192;

/**
 * The number of times that a thread polls for the other before it falls asleep. The number grows each time the other
 * arrives while polling, up to some hundred µs. It is halved each time it does not, down to one or two µs, as on a
 * machine that others use.
 */
const polls = { min: 1_000, max: 100_000 } as const;
/** The nanoseconds after which a sleeping thread checks for the other one. */
const nap = 1_000_000_000;
/** The number of such checks after which it gives up, since the other thread has ended. */
const naps = 10;

/** Addresses below those that a plan assigns. Each has its own cache line. */
const arrivals = [128, 256] as const;
const sleepers = [384, 512] as const;
const patience = [640, 768] as const;

const load = (address: number): Wat => `(i32.atomic.load offset=0 ${i32(address)})`;
const store = (address: number, value: Wat): Wat => `(i32.atomic.store offset=0 ${i32(address)} ${value})`;
const subtract = (local: string): Wat => set(local, `(i32.sub ${get(local)} (i32.const 1))`);
const larger = (a: Wat, b: Wat): Wat => `(select ${a} ${b} (i32.lt_u ${b} ${a}))`;
const smaller = (a: Wat, b: Wat): Wat => `(select ${a} ${b} (i32.lt_u ${a} ${b}))`;

/** Emits a meeting. Both threads count their arrivals; neither is ever more than one ahead. */
function meeting(thread: 0 | 1): readonly Wat[] {
  const other = thread === 0 ? 1 : 0;
  const [own, others] = [arrivals[thread], arrivals[other]];
  const sleep = [
    store(sleepers[thread], i32(1)),
    set('how', `(memory.atomic.wait32 offset=0 ${i32(others)} ${get('before')} (i64.const ${nap}))`),
    store(sleepers[thread], i32(0)),
    set('patience', larger(`(i32.div_u ${get('patience')} (i32.const 2))`, i32(polls.min))),
    set('polls', get('patience')),
    // 2 means that the time is over and the other thread has not arrived.
    `(if (i32.eq ${get('how')} (i32.const 2)) (then ${subtract('naps')}))`,
    `(if (i32.eq ${get('naps')} (i32.const 0)) (then (unreachable)))`,
  ];
  const isWaiting = `(i32.eq ${load(others)} ${get('before')})`;
  return [
    `(func $meet_${thread} (local $before i32) (local $how i32) (local $polls i32) (local $naps i32) (local $patience i32)`,
    set('before', load(own)),
    store(own, `(i32.add ${get('before')} (i32.const 1))`),
    `(if ${load(sleepers[other])} (then (drop (memory.atomic.notify offset=0 ${i32(own)} (i32.const 1)))))`,
    // The stored patience is 0 before the first meeting.
    set('patience', larger(`(i32.load ${i32(patience[thread])})`, i32(polls.min))),
    set('polls', get('patience')),
    set('naps', i32(naps)),
    '(loop $wait',
    `  (if ${isWaiting} (then`,
    subtract('polls'),
    `    (if (i32.eq ${get('polls')} (i32.const 0)) (then ${sleep.join(' ')}))`,
    '  ))',
    `  (br_if $wait ${isWaiting}))`,
    set('patience', smaller(`(i32.add ${get('patience')} (i32.const ${polls.min}))`, i32(polls.max))),
    `(i32.store ${i32(patience[thread])} ${get('patience')})`,
    ')',
  ];
}

/** Emits `run` and `help`, and the meetings that both call. */
export function runOnTwo(kernels: readonly Kernel[], context: Emit): readonly Wat[] {
  const phases: { isShared: boolean; first: Wat[]; second: Wat[] }[] = [];
  for (const { about, work = 0, emit } of kernels) {
    const isShared = work >= minWork;
    const last = phases.at(-1);
    const phase = last && !last.isShared && !isShared ? last : { isShared, first: [], second: [] };
    if (phase !== last) phases.push(phase);
    const partOf = (index: number): readonly Wat[] => emit({ ...context, part: { index, count: isShared ? 2 : 1 } });
    phase.first.push(comment(about), ...partOf(0));
    if (isShared) phase.second.push(comment(about), ...partOf(1));
  }
  const along = (thread: 0 | 1): readonly Wat[] => {
    const meet = call(`meet_${thread}`);
    return [meet, ...phases.flatMap(({ first, second }) => [...(thread === 0 ? first : second), meet])];
  };
  return [
    ...meeting(0),
    ...meeting(1),
    ...['(func $run (export "run")', ...along(0), ')'],
    ...['(func $help (export "help")', '(loop $steps', ...along(1), '(br_if $steps (i32.const 1))', ')', ')'],
  ];
}
