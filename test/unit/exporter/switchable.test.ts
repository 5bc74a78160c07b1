/** Serving makes a twin of a file: the network with a switch at every Batch Norm layer. */
import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { prepareModel } from '../../../exporter/served/prepare.ts';
import { digits } from '../../bundle/fixtures.ts';
import { cnn, loneBatchNorm, mlp, table, tableWithCategories } from '../../edge/fixtures.ts';
import { field, withBatchNorm } from '../hostile/onnx-wire.ts';

const { ModelProto } = onnxProto.onnx;
const twin = ModelProto.decode(prepareModel('file', digits()).switchable ?? new Uint8Array());

describe('the switchable network', () => {
  it.each([
    ['models/mnist-cnn', readFileSync('models/mnist-cnn/model.onnx')],
    ['models/mnist-mlp', readFileSync('models/mnist-mlp/model.onnx')],
    ['PyTorch, unfolded', readFileSync('test/fixtures/exporters/pytorch-unfolded/model.onnx')],
    ['onnxsim', readFileSync('test/fixtures/exporters/simplified/model.onnx')],
    ['PyTorch 1.13', readFileSync('test/bundle/foreign/pytorch.onnx')],
    ['a reshape by sizes behind pools', cnn()],
    ['dense layers', mlp()],
    ['a table', table()],
    ['a table with categories and gaps', tableWithCategories()],
    ['one layer', loneBatchNorm()],
  ])('is made of %s', (_, file) => {
    expect(prepareModel('m', file).noTwin).toBeUndefined();
    expect(prepareModel('m', file).switchable).toBeInstanceOf(Uint8Array);
  });

  it('normalizes both ways in place of each layer, and chooses', () => {
    expect(twin.graph?.node?.map(({ opType, input, output }) => [opType, input, output])).toEqual([
      ['Conv', ['pixels', 'kernel'], ['z']],
      ['Where', ['bn-edge/batch_statistics', 'input_mean', 'input_mean'], ['zt/mean']],
      ['Where', ['bn-edge/batch_statistics', 'input_var', 'input_var'], ['zt/var']],
      ['BatchNormalization', ['z', 'scale', 'B', 'zt/mean', 'zt/var'], ['zt/batch', 'zt/batch_mean', 'zt/batch_var']],
      ['BatchNormalization', ['z', 'scale', 'B', 'input_mean', 'input_var'], ['zt/running']],
      ['Where', ['bn-edge/batch_statistics', 'zt/batch', 'zt/running'], ['zt']],
      ['Relu', ['zt'], ['a']],
      ['GlobalAveragePool', ['a'], ['pooled']],
      ['Flatten', ['pooled'], ['features']],
      ['Gemm', ['features', 'weight', 'bias'], ['logits']],
    ]);
  });

  it('takes the switch and gives what goes into each layer, after what the network takes and gives', () => {
    expect(twin.graph?.input?.map(({ name }) => name)).toEqual(['pixels', 'bn-edge/batch_statistics']);
    expect(twin.graph?.output?.map(({ name }) => name)).toEqual(['logits', 'z']);
  });

  it('keeps every other byte of the file, in fields that onnx-proto does not know as well', () => {
    const unknown = field(9, Buffer.from('of a later version'));
    const made = prepareModel('file', Buffer.concat([withBatchNorm(unknown), unknown])).switchable ?? new Uint8Array();
    expect(Buffer.from(made).toString('latin1').split('of a later version')).toHaveLength(3);
  });
});
