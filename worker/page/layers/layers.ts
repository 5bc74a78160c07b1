/** All Batch Norm layers of the network, from its input to its output. */
import type { Layer, Statistics } from '../model.ts';
import { createLayerFigure, type LayerFigure } from './figure.ts';

export interface Layers {
  show(layers: readonly Layer[], statistics: Statistics): void;
}

export function createLayers(root: HTMLElement): Layers {
  let figures: readonly LayerFigure[] = [];
  return {
    show(layers, statistics) {
      if (figures.length === 0) {
        figures = layers.map(createLayerFigure);
        root.append(...figures.map((figure) => figure.root));
      }
      layers.forEach((layer, i) => figures[i]?.update(layer, statistics));
    },
  };
}
