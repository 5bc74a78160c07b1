/** Shows all Batch Norm layers of the network, from its input to its output. */
import type { Layer, Statistics } from '../../api/explain.ts';
import { createLayerFigure, type LayerFigure } from './figure.ts';

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
