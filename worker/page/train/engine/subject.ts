/** The data that a pair is trained on and tested with: points of a plane, digits, or rows of a table. */
import type { Column } from '../../../../training/columns/index.ts';
import { type ClassificationDataset, subset } from '../../../../training/data/index.ts';
import type { Network } from '../../../../training/network/index.ts';
import type { PicturePreparation } from '../../../../training/pictures/index.ts';

export interface Parts {
  readonly train: ClassificationDataset;
  /** The validation part. */
  readonly validation: ClassificationDataset;
}

export interface Subject extends Parts {
  readonly kind: 'plane' | 'digits' | 'table';
  /** Describes the input of both networks. */
  readonly network: Omit<Network, 'name' | 'layers'>;
  /** The columns of a table. */
  readonly columns?: readonly Column[];
  /** The preparation by which a picture of a digit becomes the input. */
  readonly picture?: PicturePreparation;
}

export const firstOf = (part: ClassificationDataset, max: number): ClassificationDataset =>
  part.count <= max
    ? part
    : subset(
        part,
        Int32Array.from({ length: max }, (_, i) => i),
      );
