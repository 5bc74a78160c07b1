/** Tensors in an HTTP body, the same on both sides: what they are as JSON, and the bytes of each. */
import { copyData, elementCount, type Tensor } from '../../exporter/edge/runtime/tensor.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

type Described = Omit<Tensor, 'data'> & { readonly name: string };

export function writeTensors(tensors: Tensors): FormData {
  const form = new FormData();
  const entries = Object.entries(tensors);
  form.set('tensors', JSON.stringify(entries.map(([name, { dtype, shape }]) => ({ name, dtype, shape }))));
  entries.forEach(([, { data }], i) => {
    form.set(`data${i}`, new Blob([data as Uint8Array<ArrayBuffer>]));
  });
  return form;
}

export async function readTensors(form: FormData): Promise<Tensors> {
  const described = JSON.parse(form.get('tensors') as string) as readonly Described[];
  const entries = described.map(async ({ name, dtype, shape }, i) => {
    const bytes = new Uint8Array(await (form.get(`data${i}`) as File).arrayBuffer());
    return [name, { dtype, shape, data: copyData(dtype, bytes, 0, elementCount(shape)) }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
