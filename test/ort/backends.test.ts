/** The CPU backends, through their lowering passes. WebGPU runs the same suite where there is an adapter. */
import { nativeBackend, wasmBackend } from '../../training/backend/index.ts';
import { describeEpochs, describeOps, describeTraining } from '../backends/conformance.ts';

const native = await nativeBackend({ threads: 1 });
const wasm = await wasmBackend();

describeOps(native);
describeOps(wasm);
describeTraining(wasm, native);
describeEpochs(wasm, native);
