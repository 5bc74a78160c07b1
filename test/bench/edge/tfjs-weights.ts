/**
 * Converts the weights of an exported mnist-cnn to TensorFlow.js' layout: NHWC, with the output channels of kernels
 * last.
 */

import onnxProto from 'onnx-proto';

interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The names of the weights, in the order in which the network uses them. */
const names = [
  ...['input.mean', 'input.var'],
  ...['conv1.weight', ...batchNorm('bn1')],
  ...['conv2.weight', ...batchNorm('bn2')],
  ...['fc1.weight', ...batchNorm('bn3')],
  ...['fc2.weight', 'fc2.bias'],
];

export function tfjsWeights(model: Uint8Array): { layout: readonly (readonly number[])[]; weights: Uint8Array } {
  const initializers = onnxProto.onnx.ModelProto.decode(model).graph?.initializer ?? [];
  const channels = initializers.find(({ name }) => name === 'conv2.weight')?.dims?.map(Number)[0] ?? 0;
  const weights = names.map((name) => {
    const named = (wanted: string) => initializers.find((initializer) => initializer.name === wanted);
    const deviation = name === 'input.var' ? named('input.std') : undefined;
    const found = deviation ?? named(name);
    if (!found?.rawData) throw new Error(`model: expected an initializer ${name}, got none`);
    const stored = new Float32Array(Uint8Array.from(found.rawData).buffer);
    const values = deviation ? stored.map((sigma) => sigma ** 2) : stored;
    const weight = { shape: found.dims?.map(Number) ?? [], values };
    return name === 'fc1.weight' ? denseFromChannelsFirst(weight, channels) : outputsLast(weight);
  });
  return {
    layout: weights.map(({ shape }) => shape),
    weights: Buffer.concat(weights.map(({ values }) => new Uint8Array(values.buffer))),
  };
}

function batchNorm(name: string): readonly string[] {
  return ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part}`);
}

/** Transposes [O, I, H, W] to [H, W, I, O], and [O, I] to [I, O]. Vectors stay as they are. */
function outputsLast({ shape, values }: Weight): Weight {
  const [outputs = 1, inputs = 1, height = 1, width = 1] = shape;
  if (shape.length !== 2 && shape.length !== 4) return { shape, values };
  const result = new Float32Array(values.length);
  values.forEach((value, index) => {
    const pixel = index % (height * width);
    const input = Math.floor(index / (height * width)) % inputs;
    const output = Math.floor(index / (height * width * inputs));
    result[(pixel * inputs + input) * outputs + output] = value;
  });
  return { shape: shape.length === 4 ? [height, width, inputs, outputs] : [inputs, outputs], values: result };
}

/** Reorders the inputs of a dense layer from a flattened [C, H, W] to a flattened [H, W, C]. */
function denseFromChannelsFirst({ shape, values }: Weight, channels: number): Weight {
  const [outputs = 1, inputs = 1] = shape;
  const side = Math.sqrt(inputs / channels);
  const { values: result } = outputsLast({ shape: [outputs, channels, side, side], values });
  return { shape: [inputs, outputs], values: result };
}
