/** A Worker whose requests and answers in JSON are held against the document that it serves, as those of the tests inside workerd are. */
import { checkDocumented, type Document, parsed } from '../worker/document.ts';

export type Fetch = (request: Request) => Promise<Response>;

/**
 * @param fetch of a Worker with its document turned on
 * @returns one that throws an Error where the document says otherwise of a request that is answered, or of its answer
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
