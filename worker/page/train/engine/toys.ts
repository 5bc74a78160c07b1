/** Generates two-dimensional data of two classes within [−1, 1]². */
import { at } from '../../../../training/arrays/index.ts';
import {
  type ClassificationDataset,
  createRandom,
  type Random,
  splitDataset,
} from '../../../../training/data/index.ts';
import { isToy, type Point, type Settings, type ToyName } from './settings.ts';
import type { Parts, Subject } from './subject.ts';

const count = 512;
const validationShare = 0.25;

type Draw = (random: Random, label: number, share: number) => readonly [x: number, y: number];

const turned = (angle: number, radius: number): readonly [number, number] => [
  radius * Math.cos(angle),
  radius * Math.sin(angle),
];

/** Draw a sample of a class. `share` rises evenly from 0 to 1 over the class's samples. */
const draws: Readonly<Record<Exclude<ToyName, 'empty'>, Draw>> = {
  moons: (random, label, share) => {
    const [x, y] = turned(Math.PI * share, 0.55);
    const noise = () => 0.07 * random.normal();
    return label === 0 ? [x - 0.25 + noise(), y - 0.15 + noise()] : [0.25 - x + noise(), 0.15 - y + noise()];
  },
  circles: (random, label, share) => turned(2 * Math.PI * share, (label === 0 ? 0.75 : 0.3) + 0.07 * random.normal()),
  spirals: (random, label, share) => {
    const radius = 0.08 + 0.85 * share;
    const [x, y] = turned(label * Math.PI + 3.2 * Math.PI * Math.sqrt(share), radius);
    return [x + 0.025 * random.normal(), y + 0.025 * random.normal()];
  },
  clouds: (random, label) => {
    const centre = label === 0 ? -0.35 : 0.35;
    return [centre + 0.22 * random.normal(), centre + 0.22 * random.normal()];
  },
};

const inside = (value: number): number => Math.min(Math.max(value, -1), 1);

/** Returns the generated points, followed by those that the user has dropped. */
export function pointsOf({ data, points, seed }: Pick<Settings, 'data' | 'points' | 'seed'>): readonly Point[] {
  if (data === 'empty' || !isToy(data)) return points;
  const random = createRandom(seed).fork(data);
  const drawn = Array.from({ length: count }, (_, i): Point => {
    const label = i % 2;
    const [x, y] = draws[data](random, label, Math.floor(i / 2) / (count / 2));
    // Rounding lets a CSV file hold the exact numbers in a few digits.
    return { x: round(inside(x)), y: round(inside(y)), label };
  });
  return [...drawn, ...points];
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

export const classes = ['a', 'b'] as const;

function datasetOf(points: readonly Point[]): ClassificationDataset {
  return {
    task: 'classification',
    inputs: Float32Array.from(points.flatMap(({ x, y }) => [x, y])),
    inputShape: [2],
    count: points.length,
    labels: Int32Array.from(points, ({ label }) => label),
    classes,
  };
}

export const planeOf = (settings: Pick<Settings, 'data' | 'points' | 'seed'>): Subject => ({
  kind: 'plane',
  network: { inputShape: [2], inputNormalization: 'none' },
  ...partsOf(pointsOf(settings), settings.seed),
});

function partsOf(points: readonly Point[], seed: number): Parts {
  if (points.length === 0) return { train: datasetOf([]), validation: datasetOf([]) };
  const validation = Math.floor(validationShare * points.length);
  return splitDataset(datasetOf(points), { validation, test: 0 }, createRandom(seed));
}

export const pointsIn = ({ inputs, labels }: ClassificationDataset): readonly Point[] =>
  Array.from(labels, (label, i) => ({ x: at(inputs, 2 * i), y: at(inputs, 2 * i + 1), label }));
