/** How the text of a table may be encoded: apart from the code that reads it, whose types are Node's. */
export const encodings = ['utf-8', 'latin1', 'cp1252', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];
