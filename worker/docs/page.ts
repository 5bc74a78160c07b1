/** The reference as a page: plain HTML from the OpenAPI document, without any script. */
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { OpenApi, Operation, Parameter } from './openapi.ts';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/**
 * Paths without version only: the others are the same.
 * @param mount the path under which the app is mounted, without a slash at the end
 */
export function referencePage(document: OpenApi, mount: string): Html {
  const { info, paths, components } = document;
  const shown = Object.entries(paths).filter(([path]) => !path.includes('/versions/'));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} reference</title>
        <link rel="stylesheet" href="${mount}/docs/style.css" />
      </head>
      <body>
        <main>
          <h1>${info.title} <small>${info.version}</small></h1>
          <p>
            ${info.description} The same as a document for machines: <a href="${mount}/openapi.json">openapi.json</a>.
          </p>
          <p>
            Every model path also exists with its version: <code>${mount}/v2/models/{model}/versions/{version}/…</code>
          </p>
          ${shown.flatMap(([path, methods]) =>
            Object.entries(methods).map(([method, operation]) =>
              operationSection(method, `${mount}${path}`, operation),
            ),
          )}
          <h2>Objects</h2>
          ${Object.entries(components.schemas).map(([name, schema]) => objectSection(name, schema))}
        </main>
      </body>
    </html>`;
}

function operationSection(method: string, path: string, operation: Operation): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  return html`<section id="${operationId}">
    <h2><span>${method.toUpperCase()}</span> <code>${path}</code></h2>
    <p>${summary}. ${description ?? ''}</p>
    <dl>
      ${parameters.map(parameterItem)}
      ${
        requestBody
          ? html`<dt>body</dt>
              <dd>${bodyTypes(requestBody.content)}</dd>`
          : ''
      }
      ${Object.entries(responses).map(
        ([status, response]) =>
          html`<dt>${status}</dt>
            <dd>${response.description}: ${bodyTypes(response.content)}</dd>`,
      )}
    </dl>
  </section>`;
}

function parameterItem({ name, in: place, description = '', schema }: Parameter): Html {
  return html`<dt><code>${name}</code></dt>
    <dd>${place}: ${describeSchema(schema)} ${description}</dd>`;
}

function bodyTypes(content: Readonly<Record<string, { readonly schema: object }>>): Html[] {
  return Object.entries(content).map(([type, { schema }]) => {
    const name = (schema as { $ref?: string }).$ref?.split('/').at(-1);
    return html`<code>${type}</code>${name === undefined ? '' : html` <a href="#${name}">${name}</a>`} `;
  });
}

function objectSection(name: string, schema: object): Html {
  return html`<details id="${name}">
    <summary>${name}</summary>
    <pre>${JSON.stringify(schema, null, 2)}</pre>
  </details>`;
}

function describeSchema(schema: object): Html | string {
  const {
    type,
    enum: values,
    default: standard,
    minimum,
    maximum,
  } = schema as Record<string, string | number | boolean | readonly string[] | undefined>;
  const parts = [
    Array.isArray(values) ? values.join(' | ') : type,
    minimum === undefined ? '' : `from ${String(minimum)}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : `to ${String(maximum)}`,
    standard === undefined ? '' : `(default ${String(standard)})`,
  ];
  return parts.filter((part) => typeof part === 'string' && part !== '').join(' ');
}

export const stylesheet = raw(`
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 56rem; margin: auto; padding: 1rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
h2 { font-size: 1.1rem; overflow-wrap: anywhere; }
h2 span { display: inline-block; min-width: 3.5em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { overflow: auto; }
summary { cursor: pointer; padding: 0.25rem 0; }
`);
