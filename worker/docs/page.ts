/** Renders the reference as a page: plain HTML from the OpenAPI document, without any script. */
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { OpenApi } from './openapi.ts';
import type { Operation, Parameter } from './operations.ts';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/**
 * Renders the paths without a version; those with one are the same.
 * @param mount the path under which the app is mounted, without a trailing slash
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
        <header><a href="${mount}/">${info.title}</a></header>
        <main>
          <h1>Reference <small>${info.version}</small></h1>
          <p class="lead">
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
    <p>${sentence(summary)} ${description ?? ''}</p>
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

/** Ends a summary with a full stop, unless it ends with a punctuation mark already. */
const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);

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
    default: fallback,
    minimum,
    maximum,
  } = schema as Record<string, string | number | boolean | readonly string[] | undefined>;
  const parts = [
    Array.isArray(values) ? values.join(' | ') : type,
    minimum === undefined ? '' : `from ${String(minimum)}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : `to ${String(maximum)}`,
    fallback === undefined ? '' : `(default ${String(fallback)})`,
  ];
  return parts.filter((part) => typeof part === 'string' && part !== '').join(' ');
}

/** The style sheet of the reference has the colours of the page (worker/page), but not its fonts. */
export const stylesheet = raw(`
:root { color-scheme: light dark; --line: light-dark(#ddd8cd, #353b45); --soft: light-dark(#5b6169, #a9aeb6); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: clamp(1.25rem, 3vw, 2.5rem) clamp(1rem, 4vw, 2.5rem) 3rem;
  background: light-dark(#faf8f4, #14171b); color: light-dark(#1f242b, #e8e6e1); overflow-wrap: anywhere;
  font: 1.0625rem/1.55 'Source Serif 4', 'Iowan Old Style', Charter, Georgia, serif; }
header { margin-bottom: 2rem; padding-bottom: 0.75rem; border-bottom: 1px solid var(--line); }
a { color: light-dark(#0b63a5, #6fb7f2); text-underline-offset: 0.15em; }
header a { color: inherit; font-weight: 600; text-decoration: none; }
h1 { margin: 0; font-size: clamp(2rem, 4vw, 3rem); font-weight: 600; line-height: 1.06; letter-spacing: -0.022em; }
h1 small, h2 span, dt, .lead { color: var(--soft); font-weight: 400; }
h1 small { font-size: 1rem; letter-spacing: 0; }
h2 { margin: 0; font-size: 1.1875rem; font-weight: 600; line-height: 1.3; }
h2 span { display: inline-block; min-width: 3.2em; font-size: 0.875rem; }
section, details { margin-top: 1rem; padding: 1rem clamp(1rem, 2vw, 1.5rem); border: 1px solid var(--line); border-radius: 14px;
  background: light-dark(#ffffff, #1c2026); }
section p { margin: 0.35rem 0 0; }
main > h2 { margin-top: 3rem; font-size: 1.5rem; }
dl { display: grid; grid-template-columns: minmax(4rem, max-content) minmax(0, 1fr); gap: 0.25rem 1rem; margin: 0.75rem 0 0; font-size: 0.9375rem; }
dd { margin: 0; }
@media (max-width: 34rem) { dl { display: block; } dd { margin: 0 0 0.5rem 1rem; } }
code, pre { font: 0.875em/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
pre { white-space: pre-wrap; }
summary { cursor: pointer; }
:focus-visible { outline: 3px solid light-dark(#0b63a5, #6fb7f2); outline-offset: 2px; border-radius: 4px; }
`);
