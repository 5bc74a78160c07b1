/** Graphs compiled whole: to WebAssembly that needs no runtime. Knows nothing of models, cards or images. */
export { compile, type CompileOptions, compileToText, type Program, type ProgramPort } from './compile.ts';
export { CompileError } from './error.ts';
export { compilePasses, type PassProgram, passesToText, type Placement } from './passes/compile-passes.ts';
