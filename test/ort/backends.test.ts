/** The CPU backends, through their lowering passes. WebGPU runs the same suite where there is an adapter. */
import { nativeBackend, wasmBackend } from '../../training/backend/index.ts';
import { describeEpochs, describeOps, describeTraining } from '../backends/conformance.ts';
import { describePublishedBatchNorm } from '../backends/published-batch-norm.ts';

const native = await nativeBackend({ threads: 1 });
const wasm = await wasmBackend();

describeOps(native);
describeOps(wasm);
describePublishedBatchNorm(native);
describePublishedBatchNorm(wasm);
describeTraining(wasm, native);
describeEpochs(wasm, native);
