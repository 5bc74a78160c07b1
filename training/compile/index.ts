/** Compiles whole graphs to WebAssembly that needs no runtime. Knows nothing of models, cards or images. */
export { compile, type CompileOptions, compileToText, type ProgramPort } from './compile.ts';
export { CompileError } from './error.ts';
export {
  compileStatic,
  type StaticOptions,
  type StaticPort,
  type StaticProgram,
  staticToText,
} from './static/compile-static.ts';
export { type Cells, type OpenProgram, openStatic } from './static/open-static.ts';
export { type Lifetime, packed } from './lifetimes.ts';
export type { Threads } from './threads.ts';
export { compilePasses, type PassProgram } from './passes/compile-passes.ts';
export { partElements } from './passes/pass-code.ts';
export { compileRows, type RowsProgram } from './rows/compile-rows.ts';
export { rowKeyOf, rowFormOf, type RowNode, rowNodeOf } from './rows/form.ts';
export { rowGraphOf, type RowSource } from './rows/row-graph.ts';
