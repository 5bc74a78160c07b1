/** Calls the Worker under test, inside workerd. */
import { exports } from 'cloudflare:workers';
import { checkDocumented, type Document, parsed } from './document.ts';

export { pixels } from './pixels.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** @throws Error where the request or its answer contradicts the Worker's own document */
export async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const url = `http://worker${path}`;
  const { status, headers, ...response } = await answerOf(url, init);
  const isPacked = new Headers(init.headers).has('content-encoding');
  checkDocumented(await documentOf(), {
    method: init.method ?? 'GET',
    url: new URL(url),
    headers: new Headers(init.headers),
    sent: typeof init.body === 'string' && !isPacked ? parsed(init.body) : undefined,
    status,
    type: headers.get('content-type'),
    answered: response.body,
  });
  return { status, headers, body: response.body };
}

let served: Promise<Document> | undefined;

export async function documentOf(): Promise<Document> {
  served ??= exports.default.fetch('http://worker/openapi.json').then((response) => response.json<Document>());
  return served;
}

async function answerOf(url: string, init: RequestInit): Promise<Answer> {
  const response = await exports.default.fetch(url, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return call(path, { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } });
}

/** Returns the data of the named output of an inference response. */
export function outputData(answer: Answer, name: string): unknown[] {
  const { outputs } = answer.body as { outputs: { name: string; data: unknown[] }[] };
  const output = outputs.find((tensor) => tensor.name === name);
  if (output === undefined) throw new Error(`no output ${name} in ${JSON.stringify(answer.body)}`);
  return output.data;
}
