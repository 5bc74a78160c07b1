/**
 * The encodings that the text of a table may have. They stand apart from the code that reads text, which needs Node's
 * types.
 */
export const encodings = ['utf-8', 'latin1', 'cp1252', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];
