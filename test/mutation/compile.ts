/** Finds the mutants that do not compile: no test needs to notice them. */
import { resolve } from 'node:path';
import ts from '@typescript/typescript6';
import type { Mutant } from './mutants.ts';

/** A statement of a file's top level with mutants in it, of which each round tries the next. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly mutants: readonly Mutant[];
}

/** Returns those of the mutants that compile. Each statement has one at a time, so that their errors stay apart. */
export function compiling(mutants: readonly Mutant[], config: string, sources: ReadonlyMap<string, string>): Mutant[] {
  const texts = new Map<string, { readonly text: string; readonly version: number }>();
  const service = serviceOf(config, [...sources.keys()], texts);
  const wrong = new Set<Mutant>();
  const files = [...Map.groupBy(mutants, ({ file }) => file)].map(([file, own]) => {
    const source = sources.get(file) ?? '';
    return { name: resolve(file), source, parts: partsOf(file, source, own) };
  });
  const rounds = Math.max(0, ...files.flatMap(({ parts }) => parts.map((part) => part.mutants.length)));
  for (let round = 0; round < rounds; round += 1) {
    const tried = files.map(({ name, source, parts }) => {
      const { text, places } = withOneEach(source, parts, round);
      if (text !== (texts.get(name)?.text ?? source)) texts.set(name, { text, version: round + 1 });
      return { name, places };
    });
    for (const { name, places } of tried) {
      if (places.length === 0) continue;
      for (const { start = -1 } of [
        ...service.getSyntacticDiagnostics(name),
        ...service.getSemanticDiagnostics(name),
      ]) {
        const place = places.find((one) => one.start <= start && start < one.end);
        if (place) wrong.add(place.mutant);
      }
    }
  }
  return mutants.filter((mutant) => !wrong.has(mutant));
}

function partsOf(file: string, source: string, mutants: readonly Mutant[]): readonly Part[] {
  const { statements } = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  return statements.flatMap(({ pos, end }) => {
    const inside = mutants.filter((mutant) => mutant.start >= pos && mutant.end <= end);
    return inside.length === 0 ? [] : [{ start: pos, end, mutants: inside }];
  });
}

/** Returns the file with one mutant in each statement that still has some, and where these statements then are. */
function withOneEach(source: string, parts: readonly Part[], round: number) {
  const places: { readonly start: number; readonly end: number; readonly mutant: Mutant }[] = [];
  let text = '';
  let at = 0;
  for (const { start, end, mutants } of parts) {
    const mutant = mutants[round];
    if (!mutant) continue;
    text += source.slice(at, start);
    const begin = text.length;
    text += source.slice(start, mutant.start) + mutant.text + source.slice(mutant.end, end);
    places.push({ start: begin, end: text.length, mutant });
    at = end;
  }
  return { text: text + source.slice(at), places };
}

function serviceOf(
  config: string,
  files: readonly string[],
  texts: ReadonlyMap<string, { readonly text: string; readonly version: number }>,
): ts.LanguageService {
  const parsed = ts.getParsedCommandLineOfConfigFile(
    config,
    { incremental: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} },
  );
  if (!parsed) throw new Error(`mutation: expected a configuration of TypeScript in ${config}`);
  const { tsBuildInfoFile: _file, ...options } = parsed.options;
  const names = [...files, ...parsed.fileNames.filter((name) => name.endsWith('.d.ts'))].map((name) => resolve(name));
  return ts.createLanguageService({
    ...ts.sys,
    getCompilationSettings: () => options,
    getScriptFileNames: () => names,
    getScriptVersion: (name) => String(texts.get(name)?.version ?? 0),
    getScriptSnapshot(name) {
      const text = texts.get(name)?.text ?? ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => process.cwd(),
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
  });
}
