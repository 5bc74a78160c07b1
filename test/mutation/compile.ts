/** Finds the mutants that do not compile: no test needs to notice them. */
import { resolve } from 'node:path';
import ts from '@typescript/typescript6';
import { mutated, type Mutant } from './mutants.ts';

/** Returns those of the mutants that compile. One of each file is checked at a time, so that their errors stay apart. */
export function compiling(mutants: readonly Mutant[], config: string, sources: ReadonlyMap<string, string>): Mutant[] {
  const parsed = ts.getParsedCommandLineOfConfigFile(
    config,
    { incremental: false },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic() {},
    },
  );
  if (!parsed) throw new Error(`mutation: expected a configuration of TypeScript in ${config}`);
  const changed = new Map<string, { text: string; version: number }>();
  const service = ts.createLanguageService({
    ...ts.sys,
    getCompilationSettings: () => ({ ...parsed.options, tsBuildInfoFile: undefined }),
    getScriptFileNames: () =>
      [...sources.keys(), ...parsed.fileNames.filter((name) => name.endsWith('.d.ts'))].map((name) => resolve(name)),
    getScriptVersion: (name) => String(changed.get(name)?.version ?? 0),
    getScriptSnapshot(name) {
      const text = changed.get(name)?.text ?? ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => process.cwd(),
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
  });

  const kept = new Set<Mutant>();
  const files = [...Map.groupBy(mutants, ({ file }) => file)];
  const rounds = Math.max(0, ...files.map(([, list]) => list.length));
  for (let round = 0; round < rounds; round += 1) {
    for (const [file, list] of files) {
      if (round > list.length) continue;
      const source = sources.get(file) ?? '';
      const mutant = list[round];
      changed.set(resolve(file), { version: round + 1, text: mutant ? mutated(source, mutant) : source });
    }
    for (const [file, list] of files) {
      const mutant = list[round];
      if (!mutant) continue;
      const name = resolve(file);
      const wrong = [...service.getSyntacticDiagnostics(name), ...service.getSemanticDiagnostics(name)];
      if (wrong.length === 0) kept.add(mutant);
    }
  }
  return mutants.filter((mutant) => kept.has(mutant));
}
