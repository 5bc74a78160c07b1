/** Parses `--augment flip,shift=0.1`, which says how pictures are changed in training. */
import { InvalidArgumentError } from 'commander';
import {
  type Augmentation,
  type AugmentationKind,
  augmentationSchema,
  usualAugmentation,
} from '../../training/data/index.ts';
import { check } from '../../training/files/index.ts';

const kinds = Object.keys(usualAugmentation) as AugmentationKind[];

export function augmentation(text: string): 'all' | Augmentation {
  if (text === 'all') return text;
  const members = text.split(',').map((part) => {
    const [name = '', strength] = part.split('=');
    const kind = kinds.find((known) => known === name);
    if (!kind) throw new InvalidArgumentError(`Expected all, or some of ${kinds.join(', ')}, such as flip,shift=0.1.`);
    return [kind, strength === undefined ? usualAugmentation[kind] : Number(strength)] as const;
  });
  const result = check(augmentationSchema, Object.fromEntries(members));
  if (typeof result === 'string') throw new InvalidArgumentError(`${result}.`);
  return result.value;
}
