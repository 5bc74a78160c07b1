/** Broken requests on every route, one after the other on some connections: whether all are answered, rightly afterwards, and in how much memory. */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';
import type { Server } from '../../bundle/workerd.ts';
import { mutantOf, type Mutant } from '../../worker/mutants.ts';
import { Inspector, type LiveMemory } from './isolate-memory.ts';
import type { HttpRequest } from './load.ts';
import { mixedRequests } from './traffic.ts';

export interface FuzzResult {
  /** How many answers began with this digit. */
  readonly families: Readonly<Record<string, number>>;
  /** What was not answered, or with 5xx, by its seed. */
  readonly failures: readonly string[];
  /** How many right requests were answered otherwise afterwards. */
  readonly changed: number;
  /** Of the whole process, in bytes, after each hundredth of the requests. */
  readonly resident: readonly number[];
  /** What of the isolate was alive, in bytes, after a tenth of the requests and after all. */
  readonly live: readonly [LiveMemory, LiveMemory];
}

const connections = 4;

/** @param model that stands in the place of the fixture that mutants are made for */
export async function fuzz(server: Server, model: string, count: number): Promise<FuzzResult> {
  const right = mixedRequests().filter((_, i) => i % 4 === 0);
  const before = await answersTo(server, right);
  const families: Record<string, number> = {};
  const failures: string[] = [];
  const resident: number[] = [];
  let next = 0;
  const connection = async (end: number): Promise<void> => {
    const client = new Client(server.url);
    while (next < end) {
      const seed = next++;
      const { status, said } = await send(client, forModel(mutantOf(seed), model));
      const family = String(status)[0] ?? '';
      families[family] = (families[family] ?? 0) + 1;
      if (family !== '2' && family !== '4') failures.push(`seed ${seed}: ${status} ${said}`);
      if (seed % Math.ceil(count / 100) === 0) resident.push(residentOf(server.pid));
    }
    await client.close();
  };
  const upTo = (end: number) => Promise.all(Array.from({ length: connections }, () => connection(end)));
  using inspector = await Inspector.connect(server.inspector ?? '');
  await upTo(count / 10);
  const early = await inspector.live();
  await upTo(count);
  const live = [early, await inspector.live()] as const;
  const after = await answersTo(server, right);
  return { families, failures, resident, live, changed: after.filter((text, i) => text !== before[i]).length };
}

/** HTTP itself takes no false length, and this is not its test. */
function forModel({ path, headers, ...rest }: Mutant, model: string): Mutant {
  const { 'content-length': _, ...sent } = headers;
  return { ...rest, path: path.replace(/\bdigits\b/, model), headers: sent };
}

async function send(client: Client, { path, method, headers, body }: Mutant) {
  try {
    const response = await client.request({ path, method, headers, body });
    return { status: response.statusCode, said: (await response.body.text()).slice(0, 200) };
  } catch (error) {
    return { status: 0, said: String(error) };
  }
}

async function answersTo({ url }: Server, requests: readonly HttpRequest[]): Promise<readonly string[]> {
  const client = new Client(url);
  const answers: string[] = [];
  for (const { path, headers, body } of requests) {
    const { statusCode, body: answer } = await client.request({ method: 'POST', path, headers, body });
    answers.push(`${statusCode} ${Buffer.from(await answer.arrayBuffer()).toString('latin1')}`);
  }
  await client.close();
  return answers;
}

export const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
