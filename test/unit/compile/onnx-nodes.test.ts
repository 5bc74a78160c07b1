/**
 * ONNX's own tests of single nodes compile to what they expect, or are refused for the reason listed here. Each is
 * compiled twice, with all inputs computed and with all but the first stored in the file; at least one must compile.
 */
import { describe, expect, it } from 'vitest';
import { compile, CompileError } from '../../../training/compile/index.ts';
import { decodeAnyModel, GraphError } from '../../../training/graph/index.ts';
import { start } from '../../../training/program/index.ts';
import { expectAllClose } from '../../reference/close.ts';
import { fileOf, type NodeTest, nodeTests, stored, tensorFrom } from './onnx-nodes.ts';

const tests = nodeTests();

/** Maps a part of the refusal's message to the tests' names, or how these begin. */
const refused: Readonly<Record<string, readonly string[]>> = {
  'expected float32': [
    ...[
      'add_uint8',
      'div_int32_trunc',
      'div_uint8',
      'max_int64',
      'max_uint8',
      'maxpool_2d_uint8',
      'mul_uint8',
      'sub_uint8',
    ],
    ...['reduce_max_bool_inputs'],
  ],
  'got float64': ['max_float64', 'min_float64'],
  'is not covered': [
    ...['pow', 'reduce_min_bool_inputs', 'split_zero_size_splits_'],
    ...['argmin_', 'reduce_log_sum_exp_', 'spacetodepth_crd_mode_example', 'constantofshape_'],
    ...['resize_downsample_scales_cubic', 'resize_downsample_sizes_cubic', 'resize_upsample_scales_cubic'],
    ...['resize_upsample_sizes_cubic', 'resize_tf_crop_and_resize', 'resize_downsample_scales_linear_align_corners'],
    ...['resize_downsample_scales_linear_antialias', 'resize_downsample_sizes_linear_antialias'],
    ...['resize_downsample_sizes_nearest_not_', 'resize_upsample_sizes_nearest_not_'],
  ],
  'got an empty one': ['reduce_', 'slice_start_out_of_bounds'],
  'attribute select_last_index is not known': ['argmax_'],
  'attribute ceil_mode is not known': [
    ...['averagepool_2d_ceil_last_window_starts_on_pad', 'averagepool_2d_dilations', 'averagepool_3d_dilations_small'],
  ],
  'attribute dilations is not known': ['maxpool_2d_dilations', 'maxpool_3d_dilations'],
  'attribute storage_order is not known': ['maxpool_with_argmax_2d_precomputed_strides'],
  'got its Indices': ['maxpool_with_argmax_2d_precomputed_pads'],
  'attribute auto_pad is not known': ['convtranspose_autopad_same'],
  'attribute output_shape is not known': ['convtranspose_kernel_shape', 'convtranspose_output_shape'],
  'expected attribute kernel_shape': ['convtranspose_1d', 'convtranspose_3d'],
  'attribute allowzero is not known': ['reshape_allowzero_reordered'],
  'expected training_mode 0': ['batchnorm_epsilon_training_mode', 'batchnorm_example_training_mode'],
  'is read before it is defined': ['dropout_default_mask'],
};

const refusals = Object.entries(refused).flatMap(([reason, names]) => names.map((start) => ({ reason, start })));

/** @returns why the file does not compile, or nothing where it does and answers as expected */
async function refusalOf(test: NodeTest): Promise<string | undefined> {
  try {
    await expectAnswers(test);
    return undefined;
  } catch (error) {
    if (error instanceof GraphError || error instanceof CompileError) return error.message;
    throw error;
  }
}

async function expectAnswers(test: NodeTest): Promise<void> {
  const program = await compile(decodeAnyModel(fileOf(test)).graph);
  const feeds = Object.fromEntries(Object.entries(test.inputs).map(([name, proto]) => [name, tensorFrom(proto).data]));
  const batch = program.inputs.find(({ perSample }) => perSample)?.shape[0] ?? 1;
  const answers = start(new WebAssembly.Module(program.wasm.slice()), program)(feeds, Number(batch));
  for (const [name, proto] of Object.entries(test.outputs)) {
    const { data } = tensorFrom(proto);
    const wanted = Float64Array.from<number | bigint>(data, Number);
    const got = Float64Array.from<number | bigint>(answers[name] ?? [], Number);
    expectAllClose(`${test.name}: ${name}`, got, wanted, { rtol: 5e-6, ofLargest: 1e-7 });
  }
}

const given = new Set<string>();

// In this order, since the last one looks at what the others met.
describe('a test of ONNX', { shuffle: false }, () => {
  describe.each(tests)('$name', (test) => {
    it('is right or refused', async () => {
      const outcomes = [await refusalOf(test), await refusalOf(stored(test))];
      if (outcomes.includes(undefined)) return;
      const [, ofStored = ''] = outcomes;
      const expected = refusals.find(({ reason, start }) => test.name.startsWith(start) && ofStored.includes(reason));
      expect(expected, ofStored).toBeDefined();
      if (expected) given.add(told(expected));
    });
  });

  it('what is said to be refused is', () => {
    expect([...given].sort()).toEqual(refusals.map(told).sort());
  });
});

function told({ reason, start }: (typeof refusals)[number]): string {
  return `${start}: ${reason}`;
}
