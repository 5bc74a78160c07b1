/** Small data sets whose right answers are known. */
import { type ClassificationDataset, createRandom } from '../../training/data/index.ts';

/**
 * Draws two clouds of points around (−1, …) and (1, …) with deviation 1, so that a network can tell most of them apart.
 */
export function twoClouds(count: number, features: number, seed = 1): ClassificationDataset {
  const random = createRandom(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const inputs = Float32Array.from({ length: count * features }, (_, i) => {
    const label = Math.floor(i / features) % 2;
    return 10 + 3 * (2 * label - 1 + random.normal());
  });
  return { task: 'classification', inputs, inputShape: [features], labels, count, classes: ['left', 'right'] };
}
