/**
 * Removes the outputs that no answer can carry. Classifiers of scikit-learn, LightGBM and the like answer with a list
 * of dictionaries, which the operator ZipMap makes from a tensor: that tensor is served under the output's name. Other
 * sequences, maps and texts are left out.
 */
import { oneLine, quote } from '../../training/files/index.ts';
import { encodeGraphProto, GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';
import { changeGraph, graphFields } from './change-graph.ts';
import { readsOf } from './dependents.ts';
import { splice } from './splice.ts';

const { TensorProto } = onnxProto.onnx;
const DataType: Readonly<Record<'FLOAT' | 'STRING', number>> = TensorProto.DataType;

export interface TensorsOnly {
  readonly bytes: Uint8Array;
  /** `remarks` has one sentence for each output that is not served, or served in another form. */
  readonly remarks: readonly string[];
}

/**
 * @param graph what the bytes hold
 * @throws GraphError if no output is left, or the file has several graphs, or messages that do not end where they say
 */
export function tensorsOnly(bytes: Uint8Array, graph: onnx.IGraphProto): TensorsOnly {
  const outputs = graph.output ?? [];
  const others = outputs.filter((output) => !isTensorOfNumbers(output));
  if (others.length === 0) return { bytes, remarks: [] };
  const zips = new Map(others.flatMap((output) => zipOf(output, graph)));
  if (outputs.length === others.length && zips.size === 0) {
    throw new GraphError(`expected an output that is a tensor of numbers, got ${others.map(describe).join(', ')}`);
  }
  const kept = new Set(
    outputs.flatMap(({ name }) => (others.some((other) => other.name === name) ? [] : [name ?? ''])),
  );
  const live = liveNodes(graph, new Set([...kept, ...[...zips.values()].map(({ tensor }) => tensor)]));
  const made = [...zips].map(([name, { tensor }]) => ({ opType: 'Identity', name, input: [tensor], output: [name] }));
  const additions = encodeGraphProto({ node: made });
  return {
    bytes: changeGraph(bytes, (content) => {
      const nodes = splice(content, graphFields.node, (i) => (live.has(graph.node?.[i] ?? {}) ? undefined : []));
      const left = splice(Buffer.concat(nodes), graphFields.output, (i) => {
        const { name = '' } = outputs[i] ?? {};
        if (kept.has(name ?? '')) return undefined;
        const zip = zips.get(name ?? '');
        return zip ? [encodeGraphProto({ output: [zip.output] })] : [];
      });
      return [...left, additions];
    }),
    remarks: others.map((output) =>
      oneLine(
        zips.has(output.name ?? '')
          ? `the output ${quote(output.name ?? '')} is ${describe(output)}: served as the tensor that it is made of`
          : `the output ${quote(output.name ?? '')} is ${describe(output)}: not served`,
      ),
    ),
  };
}

/** Is true for any element type that is a number; whether it is one of the protocol's is checked elsewhere. */
function isTensorOfNumbers({ type }: onnx.IValueInfoProto): boolean {
  const tensor = type?.tensorType;
  return tensor ? tensor.elemType !== DataType.STRING : !(type?.sequenceType ?? type?.mapType);
}

function describe({ type }: onnx.IValueInfoProto): string {
  if (type?.tensorType) return 'texts';
  if (type?.mapType) return 'a dictionary';
  return type?.sequenceType?.elemType?.mapType ? 'a list of dictionaries' : 'a sequence';
}

interface Zip {
  /** The tensor that the dictionaries are made of, [N, classes]. */
  readonly tensor: string;
  readonly output: onnx.IValueInfoProto;
}

/** Returns the tensor from which ZipMap makes an output; empty for any other output. */
function zipOf(info: onnx.IValueInfoProto, { node }: onnx.IGraphProto): [string, Zip][] {
  const name = info.name ?? '';
  const source = (node ?? []).find(({ opType, output }) => opType === 'ZipMap' && output?.includes(name));
  const [tensor] = source?.input ?? [];
  if (!source || tensor === undefined) return [];
  const classes = (source.attribute ?? []).reduce(
    (sum, { strings, ints }) => sum + (strings?.length ?? 0) + (ints?.length ?? 0),
    0,
  );
  const dim = [{ dimParam: 'N' }, ...(classes > 0 ? [{ dimValue: classes }] : [{ dimParam: 'classes' }])];
  return [[name, { tensor, output: { name, type: { tensorType: { elemType: DataType.FLOAT, shape: { dim } } } } }]];
}

/** Returns the nodes that the wanted values depend on. */
function liveNodes({ node }: onnx.IGraphProto, wanted: ReadonlySet<string>): ReadonlySet<onnx.INodeProto> {
  const sources = new Map<string, onnx.INodeProto>();
  for (const source of node ?? []) for (const output of source.output ?? []) sources.set(output, source);
  const [live, names] = [new Set<onnx.INodeProto>(), new Set(wanted)];
  // Iterating over a set includes what is added on the way.
  for (const name of names) {
    const source = name === '' ? undefined : sources.get(name);
    if (!source || live.has(source)) continue;
    live.add(source);
    for (const read of readsOf(source)) names.add(read);
  }
  return live;
}
