/** Closed-loop load on an HTTP server: every connection sends its next request when it has received the last answer. */
import { Client } from 'undici';
import { median } from '../measurement.ts';

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Latencies {
  readonly requestsPerSecond: number;
  /** The median time to an answer, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** @throws Error where an answer is not 200 */
export async function loadServer(
  url: string,
  request: HttpRequest,
  connections: number,
  seconds: number,
): Promise<Latencies> {
  const clients = Array.from({ length: connections }, () => new Client(url, { pipelining: 1 }));
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) latencies.push(await timeRequest(client, request));
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  await Promise.all(clients.map((client) => client.close()));
  return { requestsPerSecond: latencies.length / elapsed, p50: median(latencies), p99: percentile(latencies, 0.99) };
}

async function timeRequest(client: Client, { path, headers, body }: HttpRequest): Promise<number> {
  const start = performance.now();
  const response = await client.request({ method: 'POST', path, headers, body });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new Error(`${path}: expected 200, got ${response.statusCode}: ${text}`);
  return performance.now() - start;
}

/** Returns the smallest value that at least this share of the values does not exceed. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? NaN;
}
