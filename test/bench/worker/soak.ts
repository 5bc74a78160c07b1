/**
 * Hours of traffic in minutes: connections send a mix of right and bad requests without pause. Every answer is compared
 * with the answer to the same request on an idle Worker, and the isolate's memory is watched.
 */
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import type { Server } from '../../bundle/workerd.ts';
import { residentOf } from './fuzz.ts';
import { Inspector, type IsolateMemory, type LiveMemory } from './isolate-memory.ts';
import type { HttpRequest } from './load.ts';
import { badRequests, mixedRequests, upload } from './traffic.ts';

export interface SoakResult {
  readonly requests: number;
  readonly bad: number;
  /**
   * Uploads of nearly the largest body, in pieces, one a second. A second is skipped while too many have no answer yet.
   */
  readonly uploads: number;
  /** Uploads whose connection ends half-way, one a second. */
  readonly brokenOff: number;
  /** The first of each kind of failure: a 5xx, or an answer that differs from the idle Worker's. */
  readonly failures: readonly string[];
  /** Taken once a second. */
  readonly samples: readonly Sample[];
  /** The live memory after half of the time, and when the Worker is idle again. */
  readonly live: readonly [LiveMemory, LiveMemory];
}

export interface Sample extends IsolateMemory {
  /** The memory of the whole process, which is more than the isolate's, in bytes. */
  readonly resident: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Expected {
  readonly request: HttpRequest;
  readonly answer: Answer;
}

/**
 * The minutes to wait for an answer. On a busy machine the requests ahead may take minutes; after this time no answer
 * is expected any more.
 */
const PATIENCE = 10;
const patient = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };

/** The most uploads at once. An isolate could not hold the bodies of more, each of 8 MiB. */
const UPLOADS = 4;

/** One in so many requests is bad. */
const badOneIn = 20;

export async function soak(server: Server, connections: number, seconds: number): Promise<SoakResult> {
  const [right, bad, uploads] = [
    await expectedOf(server, mixedRequests(), (status) => status === 200),
    await expectedOf(server, badRequests(), (status) => status >= 400 && status < 500),
    await expectedOf(server, [upload()], (status) => status === 200),
  ];
  using inspector = await Inspector.connect(server.inspector ?? '');
  const failures = new Map<string, string>();
  const counts = { requests: 0, bad: 0, uploads: 0, brokenOff: 0 };
  const end = performance.now() + seconds * 1000;
  const connection = async (number: number): Promise<void> => {
    const client = new Client(server.url, patient);
    for (let sent = number; performance.now() < end; sent++) {
      const isBad = sent % badOneIn === 0;
      const { request, answer } = (isBad ? pick(bad, sent / badOneIn) : pick(right, sent)) as Expected;
      const got = await ask(client, request);
      counts.requests++;
      if (isBad) counts.bad++;
      if (got.status !== answer.status || got.text !== answer.text)
        failures.set(request.path, differing(request, answer, got));
    }
    await client.close();
  };
  const sendUpload = async (): Promise<void> => {
    const { request, answer } = pick(uploads, counts.uploads++) as Expected;
    const client = new Client(server.url, patient);
    const got = await ask(client, request, true);
    if (got.status !== answer.status || got.text !== answer.text)
      failures.set('an upload', differing(request, answer, got));
    await client.close();
  };
  /** Starts uploads beside each other, so that one begins each second as long as the Worker keeps up. */
  const uploading = async (): Promise<void> => {
    const open = new Set<Promise<unknown>>();
    const failed = (error: unknown): void => {
      failures.set('an upload', String(error));
    };
    while (performance.now() < end) {
      if (open.size < UPLOADS) {
        const upload = sendUpload().catch(failed);
        open.add(upload);
        void upload.finally(() => open.delete(upload));
      }
      await sleep(1000);
    }
    await Promise.all(open);
  };
  const breakingOff = async (): Promise<void> => {
    for (; performance.now() < end; counts.brokenOff++) {
      await breakOff(server, (pick(uploads, 0) as Expected).request);
      await sleep(1000);
    }
  };
  const watch = watchMemory(server.pid, inspector, end);
  const half = sleep(seconds * 500).then(() => inspector.live());
  await Promise.all([
    uploading(),
    breakingOff(),
    ...Array.from({ length: connections }, (_, number) => connection(number)),
  ]);
  const samples = await watch;
  return { ...counts, failures: [...failures.values()], samples, live: [await half, await inspector.live()] };
}

/** Sends each request once to an idle Worker. */
async function expectedOf(
  { url }: Server,
  requests: readonly HttpRequest[],
  isRight: (status: number) => boolean,
): Promise<readonly Expected[]> {
  const client = new Client(url, patient);
  const expected: Expected[] = [];
  for (const request of requests) {
    const answer = await ask(client, request);
    if (!isRight(answer.status))
      throw new Error(`${request.path}: unexpected ${answer.status}: ${answer.text.slice(0, 300)}`);
    expected.push({ request, answer });
  }
  await client.close();
  return expected;
}

/**
 * @param inPieces sends the body in pieces, without its length
 * @throws Error where no answer arrives within the patience
 */
async function ask(client: Client, { path, headers, body }: HttpRequest, inPieces = false): Promise<Answer> {
  const signal = AbortSignal.timeout(PATIENCE * 60_000);
  const sent = inPieces ? Readable.from(piecesOf(body)) : body;
  try {
    const response = await client.request({ method: 'POST', path, headers, body: sent, signal });
    return { status: response.statusCode, text: Buffer.from(await response.body.arrayBuffer()).toString('latin1') };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Error(`${path}: expected an answer within ${PATIENCE} minutes, got none`, { cause: error });
  }
}

/** Sends half of the announced length, and closes the connection. */
async function breakOff({ url }: Server, { path, headers, body }: HttpRequest): Promise<void> {
  const { hostname, port } = new URL(url);
  const fields = Object.entries({ host: hostname, 'content-length': body.length, ...headers });
  const head = [`POST ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise<void>((done) => {
    socket.write(head);
    socket.write(body.subarray(0, body.length / 2), () => {
      done();
    });
  });
  socket.destroy();
}

const PIECE = 64 * 1024;

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += PIECE) yield body.subarray(at, at + PIECE);
}

async function watchMemory(pid: number, inspector: Inspector, end: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (performance.now() < end) {
    await sleep(1000);
    samples.push({ ...(await inspector.memory()), resident: residentOf(pid) });
  }
  return samples;
}

const pick = <T>(items: readonly T[], index: number): T | undefined => items[Math.floor(index) % items.length];

const differing = ({ path }: HttpRequest, expected: Answer, got: Answer): string =>
  `${path}: expected ${expected.status} ${expected.text.slice(0, 200)}, got ${got.status} ${got.text.slice(0, 200)}`;
