/** A reverse proxy in front of a Worker that compresses answers as the platform documents it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

export interface Front {
  /** The host and the port. */
  readonly host: string;
  stop(): void;
}

/** Starts the proxy: https://developers.cloudflare.com/speed/optimization/content/compression/ */
export async function compressingFront(url: string): Promise<Front> {
  const server = createServer((request, response) => void pass(url, request, response));
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function pass(url: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const names = ['content-type', 'content-encoding', 'inference-header-content-length'];
  const headers = names.flatMap((name): [string, string][] => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const body = request.method === 'GET' ? undefined : Uint8Array.from(await buffer(request));
  const answer = await fetch(`${url}${request.url ?? '/'}`, {
    method: request.method ?? 'GET',
    headers,
    ...(body && { body }),
  });
  const content = new Uint8Array(await answer.arrayBuffer());
  const isCompressed = compresses(answer, request.headers['accept-encoding'] ?? '');
  const sent = isCompressed ? gzipSync(content) : content;
  const { 'transfer-encoding': _chunked, ...kept } = Object.fromEntries(answer.headers);
  response.writeHead(answer.status, {
    ...kept,
    ...(isCompressed && { 'content-encoding': 'gzip' }),
    'content-length': sent.byteLength,
  });
  response.end(sent);
}

function compresses({ headers }: Response, accepted: string): boolean {
  const isText = headers.get('content-type')?.startsWith('application/json') ?? false;
  const isAllowed = !(headers.get('cache-control') ?? '').includes('no-transform');
  return isText && isAllowed && accepted.includes('gzip');
}
