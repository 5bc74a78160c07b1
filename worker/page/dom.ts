/** Finds and makes typed elements. */

/** @throws when the page lacks the element, which is a bug in index.html */
export function find<T extends Element>(selector: string, type: new () => T, within: ParentNode = document): T {
  const found = within.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`internal: ${selector}: expected ${type.name}, got ${found?.tagName ?? 'nothing'}`);
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function makeSvg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export function onClick(selector: string, act: () => void): void {
  find(selector, HTMLButtonElement).addEventListener('click', act);
}

/** Returns a copy of what a template of index.html holds. */
export function cloneTemplate<T extends Element>(selector: string, type: new () => T): T {
  const { content } = find(selector, HTMLTemplateElement);
  const [root] = document.importNode(content, true).children;
  if (root instanceof type) return root;
  throw new Error(`internal: ${selector}: expected ${type.name}, got ${root?.tagName ?? 'nothing'}`);
}

/** Makes a card with its heading. */
export const card = (className: string, title: string, ...children: (Node | string)[]): HTMLElement =>
  make('section', { className: `card ${className}`, ariaLabel: title }, make('h2', {}, title), ...children);
