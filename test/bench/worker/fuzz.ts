/**
 * Sends broken requests to every route over a few connections, and measures whether all are answered, whether right
 * requests still are afterwards, and how much memory it takes.
 */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';
import type { Server } from '../../bundle/workerd.ts';
import { mutantOf, type Mutant, rightOf } from '../../worker/mutants.ts';
import { Inspector, type LiveMemory } from './isolate-memory.ts';

export interface FuzzResult {
  /** Counts the answers by the first digit of their status. */
  readonly families: Readonly<Record<string, number>>;
  /** Describes the requests, by seed, that had no answer or one with 5xx. */
  readonly failures: readonly string[];
  /** Counts the right requests whose answers differ afterwards. */
  readonly changed: number;
  /** The memory of the whole process, in bytes, after each hundredth of the requests. */
  readonly resident: readonly number[];
  /** The live memory of the isolate, in bytes, after all requests, and after as many again. */
  readonly live: readonly [LiveMemory, LiveMemory];
}

const connections = 4;

/** The number of right requests that are sent before and after. */
const CHECKS = 200;

/**
 * Sends twice as many requests as `count`, all different. The process is watched during the first half, and the
 * isolate's live memory is measured after both halves: measuring it takes workerd a hundred megabytes.
 * @param server serves the models that the mutants are made for
 */
export async function fuzz(server: Server, count: number): Promise<FuzzResult> {
  const right = Array.from({ length: CHECKS }, (_, seed) => rightOf(seed));
  const before = await answersTo(server, right);
  const families: Record<string, number> = {};
  const failures: string[] = [];
  const resident: number[] = [];
  let next = 0;
  const connection = async (end: number): Promise<void> => {
    const client = new Client(server.url);
    while (next < end) {
      const seed = next++;
      const { status, said } = await send(client, mutantOf(seed));
      const family = String(status)[0] ?? '';
      families[family] = (families[family] ?? 0) + 1;
      if (family !== '2' && family !== '4') failures.push(`seed ${seed}: ${status} ${said}`);
      if (seed < count && seed % Math.ceil(count / 100) === 0) resident.push(residentOf(server.pid));
    }
    await client.close();
  };
  const upTo = (end: number) => Promise.all(Array.from({ length: connections }, () => connection(end)));
  await upTo(count);
  using inspector = await Inspector.connect(server.inspector ?? '');
  const once = await inspector.live();
  await upTo(2 * count);
  const live = [once, await inspector.live()] as const;
  const after = await answersTo(server, right);
  return { families, failures, resident, live, changed: after.filter((text, i) => text !== before[i]).length };
}

async function send(client: Client, { path, method, headers, body }: Mutant) {
  try {
    // HTTP refuses a false length before the Worker sees it, and that is not tested here.
    const { 'content-length': _, ...sent } = headers;
    const response = await client.request({ path, method, headers: sent, body });
    return { status: response.statusCode, said: (await response.body.text()).slice(0, 200) };
  } catch (error) {
    return { status: 0, said: String(error) };
  }
}

/** @throws Error where a right request is refused */
async function answersTo({ url }: Server, requests: readonly Mutant[]): Promise<readonly string[]> {
  const client = new Client(url);
  const answers: string[] = [];
  for (const { path, method, headers, body } of requests) {
    const { statusCode, body: answer } = await client.request({ method, path, headers, body });
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    if (statusCode !== 200) throw new Error(`${path}: expected 200, got ${statusCode} ${text.slice(0, 200)}`);
    answers.push(text);
  }
  await client.close();
  return answers;
}

export const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
