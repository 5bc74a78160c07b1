/** Graphs compiled whole: to WebAssembly that needs no runtime. Knows nothing of models, cards or images. */
export { compile, type CompileOptions, compileToText, type Program, type ProgramPort } from './compile.ts';
export { CompileError } from './error.ts';
