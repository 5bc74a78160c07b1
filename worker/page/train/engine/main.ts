/**
 * The engine: a web worker that trains the pair and reports to the page. It executes orders one after the other, and
 * receives new ones between two slices of steps.
 */
import { UserError } from '../../../../training/files/index.ts';
import { loadDigits } from './digits/digits.ts';
import type { Order, Report, TableReport, Watched } from './messages.ts';
import type { OwnTable } from './own/own-table.ts';
import { throttled, runSoon, Stride } from './pacing.ts';
import { begunOf, Pair } from './pair.ts';
import type { Settings } from './settings.ts';
import { heldSample, type Subject } from './subject.ts';
import { planeOf } from './toys.ts';

/** Declares what the engine uses of the worker's global scope. */
declare const self: {
  onmessage: ((event: { readonly data: Order }) => void) | null;
  postMessage: (report: Report) => void;
};

/** Milliseconds of steps before the engine listens for orders again. */
const sliceMs = 12;
/**
 * The size of a stride, the steps taken in one call: as many as fit into so many milliseconds, up to a maximum. Each
 * call has a fixed cost, since it checks that all tensors are finite.
 */
const [strideMs, maxSteps] = [40, 64];

let pair: Pair | undefined;
/** The number of the current run, which reports carry. */
let runNumber = 0;
let watched: Watched = { layer: 0, channel: 0, sample: { x: 0, y: 0 }, held: 0 };
/** The last table that was read. */
let own: OwnTable | undefined;
/** The wanted steps per second; 0 while the pair stands still. */
let pace = 0;
/** The time and the step count of the last news. */
let lastNews = { time: 0, steps: 0 };
/** The step of the last validation. */
let lastValidation = 0;
/**
 * News take at most 1/30 of the time, and validation at most 1/60, because its results change more slowly.
 */
const look = throttled(postNews, 30, [40, 1000]);
const validate = throttled(postValidation, 60, [250, 4000]);
/** Numbers the loop of steps: starts and stops raise it, so that a loop that has been replaced ends. */
let loopNumber = 0;
let queue: Promise<void> = Promise.resolve();

/** Counts orders to begin. `outdate` ends the wait of the one being executed, because another has arrived. */
let beginCount = 0;
let outdate = (): void => undefined;

self.onmessage = ({ data: order }) => {
  if (order.kind === 'begin') {
    beginCount += 1;
    outdate();
  }
  const ownBegin = beginCount;
  queue = queue.then(() => execute(order, ownBegin)).catch(postTrouble);
};

async function execute(order: Order, ownBegin: number): Promise<void> {
  switch (order.kind) {
    case 'begin':
      stop();
      pair = undefined;
      ({ run: runNumber, watched } = order);
      await begin(order.settings, () => ownBegin !== beginCount);
      return;
    case 'table':
      stop();
      self.postMessage(await readTable(order));
      return;
    case 'tune':
      await pair?.tune(order.settings);
      return;
    case 'watch':
      if (pair && order.watched.held !== watched.held) {
        watched = order.watched;
        postSample(pair.subject);
      }
      watched = order.watched;
      if (pace === 0) postWhenIdle('look');
      return;
    case 'pause':
      stop();
      postWhenIdle('all');
      return;
    case 'step':
      stop();
      await pair?.take(1);
      postWhenIdle('all');
      return;
    case 'run':
      ({ pace } = order);
      loopNumber += 1;
      keepRunning(loopNumber);
      return;
    case 'losses':
      if (pair) self.postMessage({ kind: 'losses', losses: pair.losses });
      return;
    case 'file':
      if (pair) await postFile(pair, order).catch(postRefusal);
      return;
  }
}

/**
 * Begins a run, unless a later order to begin has arrived: a dragged slider sends one for every value, and the digits
 * may take long to download.
 */
async function begin(settings: Settings, isOutdated: () => boolean): Promise<void> {
  await new Promise<void>(runSoon);
  if (isOutdated()) return;
  const outdated = new Promise<undefined>((resolve) => {
    outdate = () => {
      resolve(undefined);
    };
  });
  const subject = await Promise.race([subjectFor(settings), outdated]);
  if (!subject || isOutdated()) return;
  self.postMessage({ kind: 'begun', run: runNumber, begun: begunOf(subject) });
  postSample(subject);
  pair = await Pair.begin(settings, subject);
  postAll();
}

async function subjectFor(settings: Settings): Promise<Subject> {
  if (settings.data === 'digits') return loadDigits();
  if (settings.data !== 'own') return planeOf(settings);
  const { subjectOf } = await import('./own/own-table.ts');
  if (!own) throw new UserError(asksForTable(settings));
  return subjectOf(own, settings.seed);
}

function asksForTable({ label }: Settings): string {
  const what = label === '' ? '' : `, to predict its column “${label}”`;
  return `This link trains with a table that is not in it${what}: drop one here, or choose other data.`;
}

/** Reads a table, and keeps it if it can be trained with. */
async function readTable({ file, label: asked }: Extract<Order, { kind: 'table' }>): Promise<TableReport> {
  const { likelyLabel, namesOf, readOwn, sourceOf } = await import('./own/own-table.ts');
  const found = { kind: 'table', name: file.name, names: [] as readonly string[], label: asked, notes: [] } as const;
  let report: TableReport = { ...found, problem: undefined };
  try {
    const source = sourceOf(file);
    const names = await namesOf(source);
    const label = asked === '' ? likelyLabel(names) : asked;
    report = { ...report, names, label };
    own = await readOwn(source, label);
    return { ...report, notes: own.table.notes };
  } catch (error) {
    return { ...report, problem: messageOf(error) };
  }
}

function stop(): void {
  pace = 0;
  loopNumber += 1;
}

/** Takes steps in the queue of orders, so that no two of them use the pair at once. */
function keepRunning(ownLoop: number): void {
  const start = { time: performance.now(), steps: pair?.steps ?? 0 };
  const stride = new Stride(strideMs, maxSteps);
  lastNews = { ...start };
  const now = (): number => pair?.steps ?? 0;
  const stepsDue = (): number =>
    pace === Infinity ? maxSteps : Math.floor(((performance.now() - start.time) / 1000) * pace) - (now() - start.steps);
  const runSlice = async (): Promise<void> => {
    if (!pair || ownLoop !== loopNumber) return;
    const begun = performance.now();
    while (stepsDue() > 0 && performance.now() - begun < sliceMs && !pair.isOver) {
      const before = performance.now();
      stride.note(await pair.take(Math.min(stepsDue(), stride.steps)), performance.now() - before);
    }
    // A backlog that cannot be caught up with is dropped.
    if (stepsDue() > maxSteps && pace !== Infinity) Object.assign(start, { time: performance.now(), steps: now() });
    if (pair.isOver) {
      stop();
      postAll();
      self.postMessage({ kind: 'over', run: runNumber });
      return;
    }
    const isIdle = stepsDue() <= 0;
    if (now() > lastNews.steps) look.ifDue(isIdle);
    if (now() > lastValidation) validate.ifDue(isIdle);
    if (isIdle) setTimeout(next, 1000 / 120);
    else runSoon(next);
  };
  const next = (): void => {
    queue = queue.then(runSlice).catch(postTrouble);
  };
  next();
}

function postSample(of: Subject): void {
  const sample = heldSample(of, watched.held);
  if (sample) self.postMessage({ kind: 'sample', run: runNumber, sample });
}

function postNews(): void {
  if (!pair) return;
  const [time, { steps }] = [performance.now(), pair];
  const stepsPerSecond = pace === 0 ? 0 : (1000 * (steps - lastNews.steps)) / (time - lastNews.time);
  lastNews = { time, steps };
  self.postMessage({ kind: 'news', run: runNumber, news: pair.news(watched, stepsPerSecond) });
}

function postValidation(): void {
  if (!pair) return;
  const { steps: step, validation } = pair;
  lastValidation = step;
  self.postMessage({ kind: 'validated', run: runNumber, validated: { step, sides: validation } });
}

/** The reports that the orders so far ask for. */
let pending: 'nothing' | 'look' | 'all' = 'nothing';

/** Reports once for all orders that arrived in the meantime. */
function postWhenIdle(what: 'look' | 'all'): void {
  if (pending === 'nothing')
    runSoon(() => {
      queue = queue.then(postPending).catch(postTrouble);
    });
  if (pending !== 'all') pending = what;
}

function postPending(): void {
  if (pending === 'all') postAll();
  else if (pace === 0) look.now();
  pending = 'nothing';
}

/** Reports everything of a pair that stands still. */
function postAll(): void {
  validate.now();
  look.now();
}

async function postFile(from: Pair, { of, as }: Extract<Order, { kind: 'file' }>): Promise<void> {
  const { checkpointOf, csvOf, exportOf } = await import('./take-away.ts');
  const snapshot = from.snapshot(of);
  const { name } = snapshot.plan.network;
  switch (as) {
    case 'model':
      self.postMessage({ kind: 'file', name: `${name}.zip`, content: Uint8Array.from(exportOf(snapshot)) });
      return;
    case 'checkpoint':
      self.postMessage({
        kind: 'file',
        name: `${name}.safetensors`,
        content: Uint8Array.from(checkpointOf(snapshot)),
      });
      return;
    case 'data':
      self.postMessage({ kind: 'file', name: 'points.csv', content: csvOf(from.all) });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function postRefusal(error: unknown): void {
  self.postMessage({ kind: 'refused', message: messageOf(error) });
}

function postTrouble(error: unknown): void {
  stop();
  self.postMessage({ kind: 'trouble', run: runNumber, message: messageOf(error) });
}
