/**
 * `npm run bench:page`: steps per second of the training page, in Chromium and with all that it shows, beside the same steps of
 * `--backend wasm` in Node. A step is one of each of the two networks.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { wasmBackend } from '../../../training/backend/index.ts';
import { createRandom, epochBatches } from '../../../training/data/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { TrainingRun } from '../../../training/trainer/index.ts';
import { initialTensors, networkOf } from '../../../worker/page/train/engine/networks.ts';
import { type Settings, sides, usualSettings } from '../../../worker/page/train/engine/settings.ts';
import { configOf } from '../../../worker/page/train/engine/side.ts';
import { planeOf } from '../../../worker/page/train/engine/toys.ts';
import { toHash } from '../../../worker/page/train/share.ts';
import { launch, visit } from '../../page/browser.ts';
import { serveImage } from '../../page/serve-image.ts';
import { imageOf } from '../../worker/images.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { median } from '../measurement.ts';
import { interleave } from '../rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '2' } },
});
const [rounds, milliseconds] = [Number(values.rounds), 1000 * Number(values.seconds)];

/** The largest step that the page can ask for, the usual one, and small mini-batches. */
const cases: Readonly<Record<string, Partial<Settings>>> = {
  usual: {},
  'eight layers, batch 256, adam': { depth: 8, batchSize: 256, optimizer: 'adam', learningRate: 0.001 },
  'batch 4': { batchSize: 4, learningRate: 0.01 },
};

/** Steps per second by the clock, and per second of the processor that takes them. */
interface Speed {
  readonly wall: number;
  readonly cpu: number;
}

/** Of the engine's thread, in seconds; NaN where there is no /proc. */
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
  // The fields behind the name in parentheses: user and system time are the 12th and 13th, in hundredths of a second.
  const times = engines.map((thread) => {
    const fields = readFileSync(`${thread}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
  return times.length === 0 ? NaN : times.reduce((sum, time) => sum + time, 0);
}

async function inPage(page: Page): Promise<Speed> {
  const step = async (): Promise<number> =>
    Number(/step ([\d,]+)/.exec(await page.locator('#progress').innerText())?.[1]?.replaceAll(',', ''));
  await page.locator('#go').click();
  // The first steps compile, and shapes settle.
  await page.waitForTimeout(500);
  const [from, start, cpu] = [await step(), performance.now(), await engineTime()];
  await page.waitForTimeout(milliseconds);
  const [steps, wall] = [(await step()) - from, (performance.now() - start) / 1000];
  const speed = { wall: steps / wall, cpu: steps / ((await engineTime()) - cpu) };
  await page.locator('#go').click();
  return speed;
}

async function inNode(settings: Settings): Promise<() => Promise<Speed>> {
  const subject = planeOf(settings);
  const { train } = subject;
  const backend = await wasmBackend();
  const runs = await Promise.all(
    sides.map((side) => {
      const plan = planNetwork(networkOf(side, settings, subject));
      const start = initialTensors(plan, createRandom(settings.seed), train, settings.scale);
      return TrainingRun.start(plan, train, configOf(settings), backend, start);
    }),
  );
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
  return async () => {
    await takeFor(500);
    return takeFor(milliseconds);
  };
}

console.log(`${describeMachine()}, ${describeLoad()}`);
const [server, browser] = await Promise.all([serveImage(imageOf({ name: 'raw', shape: ['N', 2] })), launch()]);
for (const [name, part] of Object.entries(cases)) {
  const settings = { ...usualSettings, ...part };
  const { page } = await visit(browser, server.url, {}, `/train/${toHash(settings)}`);
  await page.locator('#pace').selectOption('Infinity');
  const node = await inNode(settings);
  const results = await interleave(
    [
      { name: 'page', run: () => inPage(page) },
      { name: 'node', run: node },
    ],
    rounds,
  );
  const [ofPage = [], ofNode = []] = [results.get('page'), results.get('node')];
  for (const by of ['wall', 'cpu'] as const) {
    const [page, node] = [ofPage, ofNode].map((speeds) => speeds.map((speed) => speed[by])) as [number[], number[]];
    const ratio = median(page.map((value, i) => value / (node[i] ?? NaN)));
    const [a, b] = [page, node].map((each) => Math.round(median(each)));
    console.log(
      `${name}, per ${by} second: page ${a ?? NaN} steps, --backend wasm ${b ?? NaN}, ratio ${ratio.toFixed(2)}`,
    );
  }
  await page.close();
}
await Promise.all([browser.close(), server.stop()]);
console.log(describeLoad());
