/** What the pair is trained with and asked about, whatever it is made of: points of a plane, digits, or rows of a table. */
import type { Column } from '../../../../training/columns/index.ts';
import { type ClassificationDataset, subset } from '../../../../training/data/index.ts';
import type { Network } from '../../../../training/network/index.ts';
import type { PicturePreparation } from '../../../../training/pictures/index.ts';

export interface Parts {
  readonly train: ClassificationDataset;
  /** Held back, to see what the networks make of what they were not trained with. */
  readonly validation: ClassificationDataset;
}

export interface Subject extends Parts {
  readonly kind: 'plane' | 'digits' | 'table';
  /** What both networks know of their inputs. */
  readonly network: Omit<Network, 'name' | 'layers'>;
  /** Of a table. */
  readonly columns?: readonly Column[];
  /** Of digits: how a picture becomes the input. */
  readonly picture?: PicturePreparation;
}

export const firstOf = (part: ClassificationDataset, max: number): ClassificationDataset =>
  part.count <= max
    ? part
    : subset(
        part,
        Int32Array.from({ length: max }, (_, i) => i),
      );
