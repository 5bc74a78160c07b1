/**
 * Writes tensors into an HTTP body and reads them, the same on both sides: a line of JSON that describes them, then the
 * bytes of each.
 */
import { elementCount } from '../../training/arrays/index.ts';
import { copyData, elementBytes, type Tensor } from '../../exporter/edge/runtime/tensor.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

type Described = Omit<Tensor, 'data'> & { readonly name: string };

const newline = 10;

export function writeTensors(tensors: Tensors): Blob {
  const described = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return new Blob([JSON.stringify(described), '\n', ...Object.values(tensors).map(({ data }) => data)]);
}

export function readTensors(body: ArrayBuffer): Tensors {
  const bytes = new Uint8Array(body);
  let address = bytes.indexOf(newline) + 1;
  const described = JSON.parse(new TextDecoder().decode(bytes.subarray(0, address))) as readonly Described[];
  const entries = described.map(({ name, dtype, shape }) => {
    const count = elementCount(shape);
    const end = address + count * elementBytes(dtype);
    // The bytes are copied, since those after the line are not aligned.
    const data = copyData(dtype, bytes.slice(address, end), 0, count);
    address = end;
    return [name, { dtype, shape, data }] as const;
  });
  return Object.fromEntries(entries);
}
