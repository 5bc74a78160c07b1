/**
 * Makes an instance synchronously if the host allows it. The main thread of a browser does not, for modules above 8 MB.
 */
export function instantiate(
  wasm: WebAssembly.Module,
  imports: WebAssembly.Imports,
): WebAssembly.Instance | Promise<WebAssembly.Instance> {
  try {
    return new WebAssembly.Instance(wasm, imports);
  } catch (error) {
    if (error instanceof RangeError) return WebAssembly.instantiate(wasm, imports);
    throw error;
  }
}
