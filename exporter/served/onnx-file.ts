/** Any ONNX file: whether it is one, and of which operators. */
import { GraphError, type onnx } from '../../training/graph/index.ts';

/** What lies where a model should, by its first bytes. */
const others: readonly (readonly [begins: RegExp, what: string])[] = [
  [/^$/, 'an empty file'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS: git lfs pull fetches the file'],
  [
    /^(\u00ef\u00bb\u00bf)?\s*<(!doctype html|html|head|body)[\s>]/i,
    'a web page, as a link to a page about the file gives',
  ],
  [/^PK\u0003\u0004/, 'a ZIP archive, such as a .pt of PyTorch: torch.onnx.export writes ONNX'],
  [/^\u0089HDF/, 'an HDF5 file, such as an .h5 of Keras: tf2onnx writes ONNX'],
];

/** @throws GraphError for what is something else that is often met */
export function requireOnnx(bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, 100)).toString('latin1');
  const other = others.find(([begins]) => begins.test(start));
  if (other) throw new GraphError(`expected an ONNX model, got ${other[1]}`);
}

/** The version of ONNX's own operator set, or 0 where the model imports none. */
export function opsetOf({ opsetImport }: Pick<onnx.IModelProto, 'opsetImport'>): number {
  const own = opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx');
  return Number(own?.version ?? 0);
}
