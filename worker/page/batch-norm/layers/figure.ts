/**
 * Shows the Batch Norm layers of the network, from its input to its output: for each its chart, the channel's slider,
 * and the channel's formula in numbers.
 */
import { at } from '../../../../training/arrays/index.ts';
import { type Layer, nameOf, type Statistics } from '../../api/explain.ts';
import { cloneTemplate, find } from '../../dom.ts';
import { decimal } from '../../format.ts';
import { type Channel, channelOf } from './channel.ts';
import { drawChart } from './chart.ts';

export interface Layers {
  show(layers: readonly Layer[], statistics: Statistics): void;
}

/** @param noun the word for a sample */
export function createLayers(root: HTMLElement, noun: string): Layers {
  let figures: readonly LayerFigure[] = [];
  return {
    show(layers, statistics) {
      if (figures.length === 0) {
        figures = layers.map((layer) => createLayerFigure(layer, noun));
        root.append(...figures.map((figure) => figure.root));
      }
      layers.forEach((layer, i) => figures[i]?.update(layer, statistics));
    },
  };
}

interface LayerFigure {
  readonly root: HTMLElement;
  update(layer: Layer, statistics: Statistics): void;
}

function createLayerFigure(first: Layer, noun: string): LayerFigure {
  const root = cloneTemplate('#layer-template', HTMLElement);
  const slider = find('input', HTMLInputElement, root);
  slider.id = `channel-${first.name}`;
  find('label', HTMLLabelElement, root).htmlFor = slider.id;
  const output = find('output', HTMLOutputElement, root);
  const svg = find('svg', SVGSVGElement, root);
  let shown: { readonly layer: Layer; readonly statistics: Statistics } | undefined;

  find('h4', HTMLElement, root).textContent = nameOf(first);
  find('p', HTMLElement, root).textContent = describeShape(first.shape, noun);
  slider.max = String(first.channels - 1);
  slider.value = String(farthestChannel(first));

  function draw(): void {
    const index = slider.valueAsNumber;
    output.value = `${index + 1} of ${first.channels}`;
    if (shown === undefined) return;
    const channel = channelOf(shown.layer, index);
    drawChart(svg, channel, shown.statistics);
    svg.setAttribute('aria-label', describeChannel(channel, shown.statistics, noun));
    writeFormula(root, channel, shown.statistics);
  }
  slider.addEventListener('input', draw);

  return {
    root,
    update(layer, statistics) {
      shown = { layer, statistics };
      draw();
    },
  };
}

/** Returns the channel to begin with: the one that this sample moves farthest from the running mean, in σ. */
function farthestChannel({ running: { mean, variance, z } }: Layer): number {
  const distances = mean.map((mu, c) => {
    const [low, high, sigma2] = [at(z.minimum, c), at(z.maximum, c), at(variance, c)];
    if (mu === null || low === null || high === null || sigma2 === null) return 0;
    return Math.max(high - mu, mu - low) / Math.sqrt(sigma2);
  });
  return distances.indexOf(Math.max(...distances));
}

function describeShape([channels = 0, ...positions]: readonly number[], noun: string): string {
  const each = positions.length === 0 ? 'one value' : `${positions.join(' × ')} values`;
  return `${channels} channels, ${each} each for a ${noun}`;
}

function describeChannel(channel: Channel, statistics: Statistics, noun: string): string {
  const { mean, deviation, before, after } = channel[statistics];
  const range = ({ minimum, maximum }: typeof before): string => `${decimal(minimum)} to ${decimal(maximum)}`;
  return (
    `The ${noun}'s values go from ${range(before)} before to ${range(after)} after: normalized by mean ${decimal(mean)} ` +
    `and deviation ${decimal(deviation)}, then scaled by ${decimal(channel.gamma)} and shifted by ${decimal(channel.beta)}.`
  );
}

function writeFormula(root: HTMLElement, channel: Channel, statistics: Statistics): void {
  const { mean, deviation } = channel[statistics];
  const { gamma, beta } = channel;
  const values = { gamma, mean: Math.abs(mean), deviation, beta: Math.abs(beta) };
  for (const [name, value] of Object.entries(values)) {
    find(`[data-value=${name}]`, MathMLElement, root).textContent = decimal(value);
  }
  find('[data-sign=mean]', MathMLElement, root).textContent = mean < 0 ? '+' : '−';
  find('[data-sign=beta]', MathMLElement, root).textContent = beta < 0 ? '−' : '+';
}
