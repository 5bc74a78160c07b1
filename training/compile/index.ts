/** Graphs compiled whole: to WebAssembly that needs no runtime. Knows nothing of models, cards or images. */
export { compile, type CompileOptions, compileToText, type Program, type ProgramPort } from './compile.ts';
export { CompileError } from './error.ts';
export {
  compileStatic,
  type StaticOptions,
  type StaticPort,
  type StaticProgram,
  staticToText,
} from './static/compile-static.ts';
export { type Cells, type OpenProgram, openStatic } from './static/open-static.ts';
export { compilePasses, type PassProgram, passesToText, type Placement } from './passes/compile-passes.ts';
