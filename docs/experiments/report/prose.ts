/**
 * Converts the markup of the experiments' texts to HTML: `$LaTeX$` becomes MathML, `*stress*` emphasis, `[text](url)` a
 * link, and text in backticks code. Everything else is plain text.
 */
import temml from 'temml';

const markup =
  /\$(?<formula>[^$]+)\$|\*(?<stress>[^*]+)\*|`(?<code>[^`]+)`|\[(?<text>[^\]]+)\]\((?<url>(?:https:|#)[^)]+)\)/g;

/** Returns the HTML of a text. */
export function prose(text: string): string {
  let html = '';
  let end = 0;
  for (const match of text.matchAll(markup)) {
    html += escape(text.slice(end, match.index)) + element(match.groups ?? {});
    end = match.index + match[0].length;
  }
  return html + escape(text.slice(end));
}

/**
 * Puts formulas on a line of their own, or on several on a narrow screen. Each is an element, because browsers do not
 * break a formula.
 */
export const displayed = (...formulas: readonly string[]): string =>
  `<div class="formulas">${formulas.map((formula) => temml.renderToString(formula, { displayMode: true })).join('\n')}</div>`;

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function element({ formula, stress, code, text, url }: Readonly<Record<string, string | undefined>>): string {
  if (formula !== undefined) return temml.renderToString(formula);
  if (stress !== undefined) return `<em>${escape(stress)}</em>`;
  if (code !== undefined) return `<code>${escape(code)}</code>`;
  return `<a href="${escape(url ?? '')}">${escape(text ?? '')}</a>`;
}
