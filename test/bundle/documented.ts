/** Checks a Worker's JSON requests and answers against the document that it serves, as the tests inside workerd do. */
import { checkDocumented, type Document, parsed } from '../worker/document.ts';

export type Fetch = (request: Request) => Promise<Response>;

/**
 * @param fetch a Worker's fetch, with the document turned on
 * @returns a fetch that throws an Error where an answered request, or its answer, contradicts the document
 */
export function documented(fetch: (request: Request) => Response | Promise<Response>): Fetch {
  let served: Promise<Document> | undefined;
  const documentOf = async (url: URL): Promise<Document> => (await (await fetch(new Request(url))).json()) as Document;
  return async (request) => {
    const text = isJson(request.headers) ? await request.clone().text() : '';
    const response = await fetch(request);
    served ??= documentOf(new URL('/openapi.json', request.url));
    checkDocumented(await served, {
      method: request.method,
      url: new URL(request.url),
      headers: request.headers,
      sent: parsed(text),
      status: response.status,
      type: response.headers.get('content-type'),
      answered: isJson(response.headers) ? await response.clone().json() : undefined,
    });
    return response;
  };
}

const isJson = (headers: Headers): boolean =>
  headers.get('content-type')?.startsWith('application/json') === true && !headers.has('content-encoding');
