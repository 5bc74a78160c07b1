/** Sums up samples: the moments of their layers, their columns and their classes. */
import { at, present } from '../../training/arrays/index.ts';
import { columnCounter } from '../../training/columns/reference.ts';
import type { BatchNormLayer, WatchedLayer } from '../image.ts';
import type { Model } from '../models.ts';
import { answerOf, valuesOf } from '../predict/answer.ts';
import { numbersOf, type Tensor } from '../protocol/datatypes.ts';
import type { RowPrediction } from '../protocol/responses.ts';
import type { UnknownCategory } from './monitor.ts';
import type { NamedSums, Sums } from './sums.ts';

/** The output of `<path>/watched` with the moments; see exporter/served/watched.ts. */
const momentsName = 'bn-edge/moments';

/** Runs the samples a second time: the run that answers the request does not fetch what is counted here. */
export function tally(
  model: Model,
  feeds: ReadonlyMap<string, Tensor>,
  unknown: readonly UnknownCategory[],
): Omit<Sums, 'version' | 'start'> {
  const { monitor, output, watched } = model;
  const layers = watched ? layersOf(model, monitor?.layers ?? []) : [];
  const fetches = [...(output ? [output.name] : []), ...(layers.length > 0 ? [momentsName] : [])];
  const outputs = (watched ?? model.session).run(feeds, fetches);
  const answers = output && valuesOf('monitor', model.name, output.name, outputs);
  const moments = rowsOf(outputs.get(momentsName));
  const predictions = answers?.map((values) => answerOf(values, model, output?.kind ?? 'number'));
  const samples = moments?.length ?? predictions?.length ?? feeds.values().next().value?.shape[0] ?? 0;
  // A sample that overflows would make every sum infinite or NaN.
  const kept = Array.from({ length: samples }, (_, i) => i).filter(
    (i) => moments?.[i]?.every(Number.isFinite) !== false && answers?.[i]?.every(Number.isFinite) !== false,
  );
  return {
    samples: kept.length,
    parts: [
      ...layerParts(
        layers,
        kept.flatMap((i) => (moments?.[i] ? [moments[i]] : [])),
      ),
      ...columnParts(model, feeds, kept, unknown),
      ...classParts(kept.flatMap((i) => predictions?.[i] ?? [])),
    ],
  };
}

interface Layer extends WatchedLayer {
  readonly norm: BatchNormLayer;
}

const layersOf = ({ batchNorm }: Model, layers: readonly WatchedLayer[]): readonly Layer[] =>
  layers.flatMap((layer) => {
    const norm = batchNorm.find(({ name }) => name === layer.name);
    return norm ? [{ ...layer, norm }] : [];
  });

function rowsOf(tensor: Tensor | undefined): readonly (readonly number[])[] | undefined {
  if (!tensor) return undefined;
  const [samples = 0, width = 0] = tensor.shape;
  const values = numbersOf(tensor);
  return Array.from({ length: samples }, (_, i) => values.slice(i * width, (i + 1) * width));
}

function layerParts(layers: readonly Layer[], samples: readonly (readonly number[])[]): readonly NamedSums[] {
  let place = 0;
  return layers.map(({ name, hasPlaces, of, norm }): NamedSums => {
    const { gamma, beta, runningMean, runningVar, epsilon } = norm;
    const channels = gamma.length;
    const numbers = new Float64Array(3 * channels);
    const add = (i: number, value: number): void => void (numbers[i] = present(numbers[i]) + value);
    for (let c = 0; c < channels; c++) {
      // The layer is inverted: x = (y − β) √(σ² + ε) / γ + μ
      const scale = of === 'input' ? 1 : Math.sqrt(at(runningVar, c) + epsilon) / at(gamma, c);
      const shift = of === 'input' ? 0 : at(runningMean, c) - scale * at(beta, c);
      for (const moments of samples) {
        const mean = present(moments[place + c]);
        const square = hasPlaces ? present(moments[place + channels + c]) : mean ** 2;
        const inputMean = scale * mean + shift;
        add(c, inputMean);
        add(channels + c, scale ** 2 * square + 2 * scale * shift * mean + shift ** 2);
        add(2 * channels + c, inputMean ** 2);
      }
    }
    place += channels * (hasPlaces ? 2 : 1);
    return { kind: 'layer', name, numbers };
  });
}

function columnParts(
  { table, monitor }: Model,
  feeds: ReadonlyMap<string, Tensor>,
  kept: readonly number[],
  unknown: readonly UnknownCategory[],
): readonly NamedSums[] {
  const rows = table && feeds.get(table.input.name);
  if (!rows) return [];
  const { width } = table.preparer;
  const all = numbersOf(rows);
  const numbers = kept.flatMap((row) => all.slice(row * width, (row + 1) * width));
  return columnCounter(table.columns, monitor?.columns).map(({ name, count }): NamedSums => {
    const strange = new Set(unknown.filter(({ column }) => column === name).map(({ row }) => row));
    const counted = count(numbers, kept.length, (row) => strange.has(at(kept, row)));
    return {
      kind: 'column',
      name,
      numbers: Float64Array.of(counted.missing, counted.outOfRange, ...counted.counts),
    };
  });
}

function classParts(answers: readonly RowPrediction[]): readonly NamedSums[] {
  const counts = new Map<string, number>();
  for (const answer of answers) {
    const labels = 'labels' in answer ? answer.labels : 'label' in answer ? [answer.label] : [];
    for (const label of labels ?? []) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ kind: 'class', name, numbers: Float64Array.of(count) }));
}
