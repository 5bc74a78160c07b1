/**
 * `npm run bench:page` measures the steps per second of the training page in Chromium, with everything it shows, beside
 * the same steps of `--backend wasm` in Node, and beside TensorFlow.js and jax-js in the same browser. A step is one of
 * each of the two networks.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { wasmBackend } from '../../../training/backend/index.ts';
import { createRandom, epochBatches } from '../../../training/data/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { TrainingRun } from '../../../training/trainer/index.ts';
import { initialTensors, networkOf } from '../../../worker/page/train/engine/networks.ts';
import { type Settings, sides, defaultSettings } from '../../../worker/page/train/engine/settings.ts';
import { configOf } from '../../../worker/page/train/engine/side.ts';
import { planeOf } from '../../../worker/page/train/engine/toys.ts';
import type { Subject } from '../../../worker/page/train/engine/subject.ts';
import { digitsOf } from '../../../worker/page/train/engine/digits/digits.ts';
import { toHash } from '../../../worker/page/train/share.ts';
import { launch, visit } from '../../page/browser.ts';
import { serveImage } from '../../page/serve-image.ts';
import { imageOf } from '../../worker/images.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { median } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { peerNames, problemOf, servePeers } from './peers.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});
const [rounds, milliseconds] = [Number(values.rounds), 1000 * Number(values.seconds)];

/** The default step, `mnist-mlp` on digits, the largest step of a plane, and small mini-batches. */
const cases: Readonly<Record<string, Partial<Settings>>> = {
  usual: {},
  'mnist-mlp, batch 64': { data: 'digits', depth: 2, batchSize: 64 },
  'eight layers, batch 256, adam': { depth: 8, batchSize: 256, optimizer: 'adam', learningRate: 0.001 },
  'batch 4': { batchSize: 4, learningRate: 0.01 },
};

/** The cases whose steps the other libraries take as well. */
const comparable = new Set(['usual', 'mnist-mlp, batch 64']);

/** Holds the steps per second of wall time, and per second of the engine's CPU time. */
interface Speed {
  readonly wall: number;
  readonly cpu: number;
  /** The frames per second, where the page draws. */
  readonly frames?: number;
}

/** Returns the CPU seconds of the engine's thread; NaN where there is no /proc. */
async function engineTime(): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const threads = processInfo
    .filter(({ type }) => type === 'renderer')
    .flatMap(({ id }) =>
      existsSync(`/proc/${id}/task`) ? readdirSync(`/proc/${id}/task`).map((task) => `/proc/${id}/task/${task}`) : [],
    );
  const engines = threads.filter((thread) => readFileSync(`${thread}/comm`, 'utf8').startsWith('DedicatedWorker'));
  // These are the fields behind the name in parentheses: the 12th and 13th are user and system time in hundredths of a
  // second.
  const times = engines.map((thread) => {
    const fields = readFileSync(`${thread}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
  return times.length === 0 ? NaN : times.reduce((sum, time) => sum + time, 0);
}

/** Pauses the page. @returns the step at which it stops */
async function pauseAt(page: Page): Promise<number> {
  await page.locator('#go').click();
  const progress = page.locator('#progress');
  await progress.filter({ hasNotText: 'steps/s' }).waitFor();
  return Number(/step ([\d,]+)/.exec(await progress.innerText())?.[1]?.replaceAll(',', ''));
}

async function inPage(page: Page): Promise<Speed> {
  const go = page.locator('#go');
  await go.click();
  // During this time the first steps are compiled, and shapes settle.
  await page.waitForTimeout(500);
  const [from, start, cpu] = [await pauseAt(page), performance.now(), await engineTime()];
  await go.click();
  const frames = await page.evaluate<number>(`new Promise((resolve) => {
    let frames = 0;
    const start = performance.now();
    const count = (now) => {
      if (now - start >= ${milliseconds}) resolve((1000 * frames) / (now - start));
      else requestAnimationFrame(count);
      frames += 1;
    };
    requestAnimationFrame(count);
  })`);
  const [steps, wall] = [(await pauseAt(page)) - from, (performance.now() - start) / 1000];
  return { wall: steps / wall, cpu: steps / ((await engineTime()) - cpu), frames };
}

async function inPeer(page: Page): Promise<Speed> {
  const cpu = await engineTime();
  const { steps, seconds } = await page.evaluate<{ readonly steps: number; readonly seconds: number }>(
    `ask({ kind: 'take', milliseconds: ${milliseconds} })`,
  );
  return { wall: steps / seconds, cpu: steps / ((await engineTime()) - cpu) };
}

/** Requires the losses of a peer's first step to equal the page's; otherwise it trains something else. */
function requireSame(name: string, losses: readonly number[], expected: readonly number[]): void {
  const apart = Math.max(...expected.map((loss, i) => Math.abs(loss - (losses[i] ?? NaN))));
  if (!(apart <= 1e-4)) throw new Error(`${name}: expected losses ${expected.join(', ')}, got ${losses.join(', ')}`);
}

function subjectFor(settings: Settings): Subject {
  if (settings.data !== 'digits') return planeOf(settings);
  return digitsOf(gunzipSync(readFileSync('worker/page/train/engine/digits/mnist.bin.gz')));
}

async function inNode(settings: Settings, subject: Subject) {
  const { train } = subject;
  const backend = { ...(await wasmBackend()), stepper: 'compiled' } as const;
  const runs = await Promise.all(
    sides.map((side) => {
      const plan = planNetwork(networkOf(side, settings, subject));
      const start = initialTensors(plan, createRandom(settings.seed), train, settings.scale);
      return TrainingRun.start(plan, train, configOf(settings), backend, start);
    }),
  );
  const [{ length }, first] = [sides, epochBatches(createRandom(settings.seed), 1, train.count, settings.batchSize)];
  const losses = Array.from({ length }, () => NaN);
  for (const [i, run] of runs.entries())
    losses[i] = (await run.steps(first.subarray(0, settings.batchSize))).loss[0] ?? NaN;
  let epoch = 0;
  const takeFor = async (time: number): Promise<Speed> => {
    let steps = 0;
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    while (performance.now() - start < time) {
      const order = epochBatches(createRandom(settings.seed), ++epoch, train.count, settings.batchSize);
      for (const run of runs) await run.steps(order);
      steps += order.length / settings.batchSize;
    }
    const { user, system } = process.cpuUsage(cpu);
    return { wall: (1000 * steps) / (performance.now() - start), cpu: (1e6 * steps) / (user + system) };
  };
  const run = async (): Promise<Speed> => {
    await takeFor(500);
    return takeFor(milliseconds);
  };
  return { run, losses };
}

console.log(`${describeMachine()}, ${describeLoad()}`);
const [server, browser] = await Promise.all([serveImage(imageOf({ name: 'raw', shape: ['N', 2] })), launch()]);
const peers = await servePeers(browser);
for (const [name, part] of Object.entries(cases)) {
  if (values.only !== undefined && !name.startsWith(values.only)) continue;
  const settings = { ...defaultSettings, ...part };
  const subject = subjectFor(settings);
  const { page } = await visit(browser, server.url, {}, `/train/${toHash(settings)}`);
  await page.locator('#pace').selectOption('Infinity');
  const node = await inNode(settings, subject);
  const candidates = [
    { name: 'page', run: () => inPage(page) },
    { name: '--backend wasm', run: node.run },
  ];
  const opened: Page[] = [page];
  for (const peer of comparable.has(name) ? peerNames : []) {
    try {
      const { page: ofPeer, losses } = await peers.open(peer, problemOf(settings, subject));
      opened.push(ofPeer);
      requireSame(peer, losses, node.losses);
      candidates.push({ name: peer, run: () => inPeer(ofPeer) });
    } catch (error) {
      console.log(`${name}: ${peer} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  tell(name, await interleave(candidates, rounds));
  for (const each of opened) await each.close();
}
peers.stop();
await Promise.all([browser.close(), server.stop()]);
console.log(describeLoad());

function tell(name: string, results: ReadonlyMap<string, readonly Speed[]>): void {
  const ofPage = results.get('page') ?? [];
  for (const by of ['wall', 'cpu'] as const) {
    const said = [...results].map(([who, speeds]) => {
      const ratio = median(ofPage.map((speed, i) => speed[by] / (speeds[i]?.[by] ?? NaN)));
      return `${who} ${Math.round(median(speeds.map((speed) => speed[by])))} steps${who === 'page' ? '' : ` (× ${ratio.toFixed(2)})`}`;
    });
    console.log(`${name}, per ${by} second: ${said.join(', ')}`);
  }
  console.log(`${name}: ${Math.round(median(ofPage.map(({ frames = NaN }) => frames)))} frames per second`);
}
