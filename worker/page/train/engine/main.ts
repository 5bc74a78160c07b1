/**
 * The engine: a worker of the browser that trains the pair and tells the page of it. Orders are obeyed one after the other; between two
 * slices of steps it listens.
 */
import { loadDigits } from './digits/digits.ts';
import type { Order, Report, TableReport, Watched } from './messages.ts';
import type { OwnTable } from './own/own-table.ts';
import { Pair } from './pair.ts';
import type { Settings } from './settings.ts';
import type { Subject } from './subject.ts';
import { planeOf } from './toys.ts';

/** What the browser gives a worker. */
declare const self: {
  onmessage: ((event: { readonly data: Order }) => void) | null;
  postMessage: (report: Report) => void;
};

/** Milliseconds between two pictures, and of a slice of steps. */
const frame = 40;
const slice = 12;
/** Looking takes at most one part in so many of the time. */
const lookShare = 10;
/** Of steps, at most, at once. */
const mostSteps = 64;

let pair: Pair | undefined;
let watched: Watched = { layer: 0, channel: 0, sample: { x: 0, y: 0 }, held: 0 };
/** The last table that was read. */
let own: OwnTable | undefined;
/** Steps per second; 0 while it stands still. */
let pace = 0;
/** Counts what is begun, so that a loop that has been replaced ends. */
let turn = 0;
let queue: Promise<void> = Promise.resolve();

self.onmessage = ({ data: order }) => {
  queue = queue.then(() => obey(order)).catch(tellTrouble);
};

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'begin':
      stop();
      pair = undefined;
      pair = await Pair.begin(order.settings, await subjectFor(order.settings));
      self.postMessage({ kind: 'begun', begun: pair.begun });
      tellSample(pair);
      tellNews(pair);
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
        tellSample(pair);
      }
      watched = order.watched;
      if (pair && pace === 0) tellNews(pair);
      return;
    case 'pause':
      stop();
      if (pair) tellNews(pair);
      return;
    case 'step':
      stop();
      await pair?.take(1);
      if (pair) tellNews(pair);
      return;
    case 'run':
      ({ pace } = order);
      turn += 1;
      keepRunning(turn);
      return;
    case 'losses':
      if (pair) self.postMessage({ kind: 'losses', losses: pair.losses });
      return;
    case 'file':
      if (pair) await tellFile(pair, order).catch(tellRefusal);
      return;
  }
}

async function subjectFor(settings: Settings): Promise<Subject> {
  if (settings.data === 'digits') return loadDigits();
  if (settings.data !== 'own') return planeOf(settings);
  const { subjectOf } = await import('./own/own-table.ts');
  if (!own) throw new Error('internal: expected a table to train with, got none');
  return subjectOf(own, settings.seed);
}

/** Keeps it, where it can be trained with. */
async function readTable({ file, label: asked }: Extract<Order, { kind: 'table' }>): Promise<TableReport> {
  const { likelyLabel, namesOf, readOwn, sourceOf } = await import('./own/own-table.ts');
  const found = { kind: 'table', name: file.name, names: [] as readonly string[], label: asked, notes: [] } as const;
  let told: TableReport = { ...found, problem: undefined };
  try {
    const source = sourceOf(file);
    const names = await namesOf(source);
    const label = asked === '' ? likelyLabel(names) : asked;
    told = { ...told, names, label };
    own = await readOwn(source, label);
    return { ...told, notes: own.table.notes };
  } catch (error) {
    return { ...told, problem: messageOf(error) };
  }
}

function stop(): void {
  pace = 0;
  turn += 1;
}

/** In the queue of orders, so that no two touch the pair at once. */
function keepRunning(mine: number): void {
  const start = { time: performance.now(), steps: pair?.steps ?? 0 };
  let lookTime = 0;
  let shown = { time: -Infinity, steps: start.steps };
  const go = async (): Promise<void> => {
    if (!pair || mine !== turn) return;
    const begun = performance.now();
    const due = (): number =>
      pace === Infinity
        ? mostSteps
        : Math.floor(((performance.now() - start.time) / 1000) * pace) - (now() - start.steps);
    const now = (): number => pair?.steps ?? 0;
    while (due() > 0 && performance.now() - begun < slice && !pair.isOver) await pair.take(Math.min(due(), mostSteps));
    // What cannot be caught up with is forgiven.
    if (due() > mostSteps && pace !== Infinity) Object.assign(start, { time: performance.now(), steps: now() });
    const time = performance.now();
    if (time - shown.time >= Math.max(frame, lookShare * lookTime) || pair.isOver) {
      tellNews(pair, (1000 * (now() - shown.steps)) / (time - shown.time));
      lookTime = performance.now() - time;
      shown = { time, steps: now() };
    }
    if (pair.isOver) stop();
    else if (due() > 0) soon(next);
    else setTimeout(next, 1000 / 120);
  };
  const next = (): void => {
    queue = queue.then(go).catch(tellTrouble);
  };
  next();
}

/** The types at hand are those of Node's channels. */
const channel = new MessageChannel() as unknown as {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { readonly postMessage: (message: undefined) => void };
};

/** After the orders that have come meanwhile; without the milliseconds that a timer of a timer waits. */
function soon(act: () => void): void {
  channel.port1.onmessage = act;
  channel.port2.postMessage(undefined);
}

function tellSample(of: Pair): void {
  const sample = of.sample(watched.held);
  if (sample) self.postMessage({ kind: 'sample', sample });
}

function tellNews(of: Pair, stepsPerSecond = 0): void {
  self.postMessage({ kind: 'news', news: of.news(watched, stepsPerSecond) });
}

async function tellFile(from: Pair, { of, as }: Extract<Order, { kind: 'file' }>): Promise<void> {
  const { checkpointOf, csvOf, exportOf } = await import('./take-away.ts');
  const standing = from.standing(of);
  const { name } = standing.plan.network;
  switch (as) {
    case 'model':
      self.postMessage({ kind: 'file', name: `${name}.zip`, content: Uint8Array.from(exportOf(standing)) });
      return;
    case 'checkpoint':
      self.postMessage({
        kind: 'file',
        name: `${name}.safetensors`,
        content: Uint8Array.from(checkpointOf(standing)),
      });
      return;
    case 'data':
      self.postMessage({ kind: 'file', name: 'points.csv', content: csvOf(from.all) });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function tellRefusal(error: unknown): void {
  self.postMessage({ kind: 'refused', message: messageOf(error) });
}

function tellTrouble(error: unknown): void {
  stop();
  self.postMessage({ kind: 'trouble', message: messageOf(error) });
}
