/**
 * Runs a Worker in raw workerd, one process per measurement, and measures its cost from the outside: the clock of a
 * Worker stands still while it computes.
 */

import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { Agent, request as send } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { median } from '../measurement.ts';
import type { HttpRequest } from '../worker/load.ts';
import type { Worker } from './workers.ts';

const workerd = createRequire(import.meta.url).resolve('workerd/bin/workerd');

/** Times in milliseconds, memory in bytes. */
export interface ColdStart {
  readonly firstAnswer: number;
  readonly resident: number;
  readonly answer: string;
}

export interface Service {
  /** The CPU time of the process until it waits for requests. */
  readonly startupCpu: number;
  /** The CPU time of the first request after that. */
  readonly firstRequestCpu: number;
  /**
   * The wall time and the CPU time of one inference once the engine has optimised it. Other load on the machine changes
   * the CPU time less.
   */
  readonly warm: number;
  readonly warmCpu: number;
  /** The CPU time of a process to its first answer, by request; for a Worker that serves more than inferences. */
  readonly firstCpu: Readonly<Record<string, number>>;
}

/** A folder with a Worker and workerd's configuration. */
export class Deployment implements AsyncDisposable {
  readonly #folder: string;
  readonly #asks: NonNullable<Worker['asks']>;

  private constructor(folder: string, asks: Worker['asks'] = {}) {
    this.#folder = folder;
    this.#asks = asks;
  }

  static async create({ files, asks }: Worker): Promise<Deployment> {
    const folder = await mkdtemp(join(tmpdir(), 'edge-bench-'));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    await writeFile(join(folder, 'config.capnp'), configuration(Object.keys(files)));
    await compileConfiguration(folder);
    return new Deployment(folder, asks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** Measures the time from the start of the process to its first answer; the request is sent as soon as it listens. */
  async coldStart(): Promise<ColdStart> {
    const start = performance.now();
    await using process = await this.#start();
    const answer = await process.request();
    return { firstAnswer: performance.now() - start, resident: await process.resident(), answer };
  }

  /**
   * Measures one process that is given time to start, then requested once, then often.
   * @param effort multiplies the numbers of runs
   */
  async service(effort = 1): Promise<Service> {
    await using process = await this.#start();
    const startupCpu = await process.quietCpu();
    await process.request();
    const firstRequestCpu = (await process.quietCpu()) - startupCpu;
    await settle(process, effort);
    const [times, cpu]: [number[], number[]] = [[], []];
    for (let chunk = 0; chunk < warmChunks; chunk++) {
      const runs = Math.ceil(effort * runsInChunk);
      const before = await process.cpu();
      times.push(await process.timeOfRuns(runs));
      cpu.push(((await process.cpu()) - before) / runs);
    }
    return { startupCpu, firstRequestCpu, warm: median(times), warmCpu: median(cpu), firstCpu: await this.#firstCpu() };
  }

  /** Measures a fresh process for each request. */
  async #firstCpu(): Promise<Service['firstCpu']> {
    const figures: [string, number][] = [];
    for (const [name, ask] of Object.entries(this.#asks)) {
      await using process = await this.#start(ask);
      await process.quietCpu();
      await process.request();
      figures.push([name, await process.quietCpu()]);
    }
    return Object.fromEntries(figures);
  }

  async #start(ask = Object.values(this.#asks)[0]): Promise<Process> {
    const child = spawn(workerd, ['serve', '--binary', 'config.bin', '--control-fd=3'], {
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    return new Process(child, await listeningPort(child), ask);
  }
}

/**
 * Runs inferences until the optimising compiler has finished. That takes thousands of runs on a busy machine, so two
 * successive chunks must agree.
 */
async function settle(process: Process, effort: number): Promise<void> {
  const runs = Math.ceil(effort * runsBetween);
  let before = Infinity;
  for (let chunk = 0; chunk < maxChunks; chunk++) {
    const start = await process.cpu();
    await process.request(runs);
    const now = (await process.cpu()) - start;
    if (chunk > 1 && Math.abs(now - before) <= agreement * before) return;
    before = now;
  }
}

const [runsBetween, maxChunks, agreement] = [800, 12, 0.03];
/** The chunks are short, so that most of them are undisturbed on a busy machine. */
const [warmChunks, runsInChunk] = [21, 100];

class Process implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #ask: HttpRequest | undefined;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(child: ChildProcess, port: number, ask?: HttpRequest) {
    this.#child = child;
    this.#port = port;
    this.#ask = ask;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  /**
   * @param runs the inferences in one request, or the number of successive requests where the Worker serves other
   * requests
   * @returns the body of the answer
   */
  async request(runs = 1): Promise<string> {
    if (!this.#ask) return this.#exchange(`/?n=${runs}`);
    let body = '';
    for (let run = 0; run < runs; run++) body = await this.#exchange(this.#ask.path, this.#ask);
    return body;
  }

  async #exchange(path: string, ask?: HttpRequest): Promise<string> {
    const at = { host: '127.0.0.1', port: this.#port, path, agent: this.#agent };
    const request = send({ ...at, ...(ask && { method: 'POST', headers: ask.headers }) });
    request.end(ask?.body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await text(response);
    if (response.statusCode !== 200)
      throw new Error(`workerd: expected 200, got ${String(response.statusCode)} ${body}`);
    return body;
  }

  /** Returns the milliseconds of one inference among many in one request, which share its overhead. */
  async timeOfRuns(runs: number): Promise<number> {
    const start = performance.now();
    await this.request(runs);
    return (performance.now() - start) / runs;
  }

  async resident(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid ?? 0}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Returns the CPU milliseconds so far, once the process uses no more. */
  async quietCpu(): Promise<number> {
    let before = await this.cpu();
    for (;;) {
      await sleep(50);
      const now = await this.cpu();
      if (now - before < 0.2) return now;
      before = now;
    }
  }

  /**
   * Returns the CPU milliseconds of all threads, to the nanosecond. Source:
   * https://docs.kernel.org/scheduler/sched-stats.html
   */
  async cpu(): Promise<number> {
    const tasks = `/proc/${this.#child.pid ?? 0}/task`;
    const stats = await Promise.all(
      (await readdir(tasks)).map((task) => readFile(`${tasks}/${task}/schedstat`, 'utf8')),
    );
    return stats.reduce((total, stat) => total + Number(stat.split(' ')[0]), 0) / 1e6;
  }
}

/** Reads the port: workerd writes a line of JSON to its control descriptor for each socket that it opens. */
async function listeningPort(child: ChildProcess): Promise<number> {
  for await (const chunk of child.stdio[3] as Readable) {
    const port = /"port":(\d+)/.exec(String(chunk))?.[1];
    if (port) return Number(port);
  }
  throw new Error('workerd: expected it to listen, got its end');
}

/**
 * Compiles the configuration: parsing it as text takes longer than starting the Worker, and no host does it per
 * isolate.
 */
async function compileConfiguration(folder: string): Promise<void> {
  const options = { cwd: folder, encoding: 'buffer', maxBuffer: 2 ** 28 } as const;
  const { stdout } = await promisify(execFile)(workerd, ['compile', 'config.capnp', '--config-only'], options);
  await writeFile(join(folder, 'config.bin'), stdout);
}

function configuration(files: readonly string[]): string {
  const kind = (name: string) => {
    if (name.endsWith('.mjs')) return 'esModule';
    return name.endsWith('.wasm') ? 'wasm' : 'data';
  };
  const modules = files.map((name) => `(name = "${name}", ${kind(name)} = embed "${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (modules = [${modules.join(', ')}], compatibilityDate = "2026-10-23");
`;
}
