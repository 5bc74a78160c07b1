/** Finds the number of channels that the processor's convolutions take at once: 16 with AVX-512, 8 with AVX. */
import { at, present } from '../arrays/index.ts';
import { releasing } from '../files/index.ts';
import { encodeModel, graphBuilder } from '../graph/index.ts';
import { openSession, type Runtime } from './runtime.ts';

/**
 * The minimum number of channels that the op accepts, which is smaller than any block: the op fills up to a whole
 * block.
 */
const minChannels = 4;

/** @returns the number of channels in a block; undefined where ONNX Runtime has no kernels for channels in blocks */
export async function channelBlockOf(runtime: Runtime): Promise<number | undefined> {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [1, minChannels, 1, 1] });
  const file = encodeModel(g.build('block', { y: g['com.microsoft.nchwc.ReorderInput'](x) }));
  try {
    const options = { executionProviders: ['cpu'], logSeverityLevel: 4 } as const;
    await using session = releasing(await openSession(runtime, file, options));
    const data = new Float32Array(minChannels);
    const { y } = await session.run({ x: { dtype: 'float32', shape: [1, minChannels, 1, 1], data } });
    const channels = at(present(y).shape, 1);
    return channels > minChannels ? channels : undefined;
  } catch {
    // Builds for processors without vector instructions do not have the op.
    return undefined;
  }
}
