/**
 * The engine: a worker of the browser that trains the pair and tells the page of it. Orders are obeyed one after the other; between two
 * slices of steps it listens.
 */
import type { Order, Report, Watched } from './messages.ts';
import { Pair } from './pair.ts';

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
let watched: Watched = { layer: 0, channel: 0, sample: { x: 0, y: 0 } };
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
      pair = await Pair.begin(order.settings);
      self.postMessage({ kind: 'begun', points: pair.points.train, held: pair.points.validation });
      tellNews(pair);
      return;
    case 'tune':
      await pair?.tune(order.settings);
      return;
    case 'watch':
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
