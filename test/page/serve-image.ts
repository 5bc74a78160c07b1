/** Serves the built page and an image in this process, as a Worker with static assets does. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { createWorker, type Image, type WorkerOptions } from '../../worker/create-worker.ts';

const folder = join(import.meta.dirname, '../../dist/page');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.gz': 'application/gzip',
};

/** Returns the headers of `_headers` for a path: a rule's path ends in `*`, and a line with `!` removes a header. */
function pageHeaders(pathname: string): Record<string, string> {
  const rules = readFileSync(join(folder, '_headers'), 'utf8').matchAll(/^(\/\S*)\*\n((?: {2}.+\n)+)/gm);
  const headers = new Map<string, string>();
  for (const [, prefix = '', lines = ''] of rules) {
    if (!pathname.startsWith(prefix)) continue;
    for (const line of lines.trimEnd().split('\n')) {
      const [name = '', ...value] = line.trim().split(': ');
      if (name.startsWith('! ')) headers.delete(name.slice(2).toLowerCase());
      else headers.set(name.toLowerCase(), value.join(': '));
    }
  }
  return Object.fromEntries(headers);
}

export interface Served {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function serveImage(image: Image, options: WorkerOptions = {}): Promise<Served> {
  const worker = createWorker(image, { page: true, docs: true, log: false, ...options });
  const answer = async (request: IncomingMessage, url: string): Promise<Response> => {
    const { pathname } = new URL(url);
    const file = join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    if (request.method === 'GET' && pathname !== '/_headers' && existsSync(file) && extname(file) !== '')
      return new Response(readFileSync(file), {
        headers: { ...pageHeaders(pathname), 'content-type': types[extname(file)] ?? '' },
      });
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const sent = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
    return worker.fetch(new Request(url, { method: request.method ?? 'GET', headers: sent, ...body }), {});
  };
  const server = createServer((request, reply) => {
    answer(request, `http://${request.headers.host ?? ''}${request.url ?? ''}`)
      .then(async (response) => {
        reply.writeHead(response.status, Object.fromEntries(response.headers));
        reply.end(Buffer.from(await response.arrayBuffer()));
      })
      .catch((error: unknown) => reply.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
