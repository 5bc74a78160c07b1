/** Reads ONNX's own tests of single nodes from the archive that `onnx-nodes.py` writes. */
import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { decodeAnyModel, type onnx, onnxProto, type Tensor } from '../../../training/graph/index.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;

export interface NodeTest {
  readonly name: string;
  readonly model: onnx.ModelProto;
  /** The inputs by their names in the model. */
  readonly inputs: Readonly<Record<string, onnx.ITensorProto>>;
  readonly outputs: Readonly<Record<string, onnx.ITensorProto>>;
}

/** Returns the tests in the order of their names. */
export function nodeTests(): readonly NodeTest[] {
  const archive = unzipSync(readFileSync(new URL('../../reference/published/onnx-nodes.zip', import.meta.url)));
  const names = new Set(Object.keys(archive).map((path) => path.split('/')[0] ?? ''));
  return [...names].map((name) => {
    const model = ModelProto.decode(archive[`${name}/model.onnx`] ?? new Uint8Array());
    const tensors = (kind: 'input' | 'output') =>
      Object.fromEntries(
        (model.graph?.[kind] ?? []).flatMap((port, i) => {
          const bytes = archive[`${name}/${kind}_${i}.pb`];
          return bytes ? [[port.name ?? '', TensorProto.decode(bytes)]] : [];
        }),
      );
    return { name, model, inputs: tensors('input'), outputs: tensors('output') };
  });
}

/** Returns a test with all inputs but the first stored in the file, as weights and shapes are in models. */
export function stored(test: NodeTest): NodeTest {
  const [first, ...others] = Object.entries(test.inputs);
  const tensors = others.map(([name, tensor]) => ({ ...tensor, name }));
  const graph = { ...test.model.graph, initializer: [...(test.model.graph?.initializer ?? []), ...tensors] };
  return {
    ...test,
    model: ModelProto.create({ opsetImport: test.model.opsetImport, graph }),
    inputs: Object.fromEntries(first ? [first] : []),
  };
}

export const fileOf = ({ model }: Pick<NodeTest, 'model'>): Uint8Array => ModelProto.encode(model).finish();

/** Decodes a tensor with the reader of files. */
export function tensorFrom(proto: onnx.ITensorProto): Tensor {
  const tensor = { ...proto, name: 'y' };
  const graph = { name: 'tensor', initializer: [tensor], output: [{ name: 'y' }] };
  const [value] = decodeAnyModel(fileOf({ model: ModelProto.create({ graph }) })).graph.outputs;
  if (!value?.constant) throw new Error('expected a tensor');
  return value.constant;
}
