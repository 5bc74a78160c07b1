/**
 * Lists TypeScript's errors in a user's program. The compiler runs in this process, since starting one takes longer
 * than its work.
 */
import { join } from 'node:path';
import ts from '@typescript/typescript6';

const resolutions = {
  bundler: { moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext },
  nodenext: { moduleResolution: ts.ModuleResolutionKind.NodeNext, module: ts.ModuleKind.NodeNext },
} as const;

export interface Surrounding {
  /** TypeScript's own libraries, such as `es2022` or `dom`. */
  readonly lib: readonly string[];
  /** Packages of types, from the project or from this repository. */
  readonly types: readonly string[];
}

const root = join(import.meta.dirname, '../..');

/** Checks under strict settings, including every declaration file that is reached. */
export function typeErrors(
  folder: string,
  files: readonly string[],
  { lib, types }: Surrounding,
  resolution: keyof typeof resolutions,
): readonly string[] {
  const options: ts.CompilerOptions = {
    ...resolutions[resolution],
    target: ts.ScriptTarget.ES2022,
    lib: lib.map((name) => `lib.${name}.d.ts`),
    types: [...types],
    typeRoots: [join(folder, 'node_modules/@types'), join(root, 'node_modules')],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const program = ts.createProgram(
    files.map((file) => join(folder, file)),
    options,
  );
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, '\n');
    return `${file?.fileName ?? 'settings'}: ${message}`;
  });
}
