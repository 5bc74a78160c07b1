/** Each augmentation changes pictures as it should, and depends only on seed, epoch and sample. */
import { describe, expect, it } from 'vitest';
import { expectAllClose } from '../../reference/close.ts';
import { augmentation } from '../../../exporter/command/option-values.ts';
import {
  type Augmentation,
  augmented,
  createRandom,
  type Samples,
  defaultAugmentation,
} from '../../../training/data/index.ts';

const [rows, columns] = [8, 10];
const area = rows * columns;

/** Pictures whose pixel at (x, y) is 20·x + 4·y in the first channel, 255 less that in the second. */
function ramps(count: number): Samples {
  const inputs = Uint8Array.from({ length: count * 2 * area }, (_, i) => {
    const value = 20 * (i % columns) + 4 * (Math.floor(i / columns) % rows);
    return Math.floor(i / area) % 2 === 0 ? value : 255 - value;
  });
  return { inputs, inputShape: [2, rows, columns], count };
}

const of = (inputs: Samples['inputs'], sample: number, channel = 0) => [
  ...inputs.subarray((2 * sample + channel) * area, (2 * sample + channel + 1) * area),
];
const change = (count: number, how: Augmentation, seed = 1) => augmented(ramps(count), how, createRandom(seed));
const original = of(ramps(1).inputs, 0);
const mirrored = original.map((_, i) => original[i - (i % columns) + columns - 1 - (i % columns)]);

describe('augmentation', () => {
  it('leaves pictures as they are when nothing is to be done', () => {
    expect(change(3, {})).toEqual(ramps(3).inputs);
  });

  it('mirrors about half of the pictures, in all channels', () => {
    const inputs = change(200, { flip: true });
    let flips = 0;
    for (let sample = 0; sample < 200; sample++) {
      const isMirrored = of(inputs, sample)[0] !== 0;
      if (isMirrored) flips++;
      expect(of(inputs, sample)).toEqual(isMirrored ? mirrored : original);
      expect(of(inputs, sample, 1)).toEqual((isMirrored ? mirrored : original).map((value) => 255 - (value ?? NaN)));
    }
    expect(Math.abs(flips - 100)).toBeLessThan(30);
  });

  it('shifts by whole pixels up to the bound, each way, and repeats the edge', () => {
    const inputs = change(300, { shift: 0.25 });
    const seen = new Set<string>();
    for (let sample = 0; sample < 300; sample++) {
      const picture = of(inputs, sample);
      const middle = picture[4 * columns + 5] ?? NaN;
      const moves = [-2, -1, 0, 1, 2].flatMap((dx) => [-2, -1, 0, 1, 2].map((dy) => [dx, dy] as const));
      const [dx = NaN, dy = NaN] = moves.find(([x, y]) => middle === 20 * (5 + x) + 4 * (4 + y)) ?? [];
      seen.add(`${dx} ${dy}`);
      const within = (place: number, last: number) => Math.min(Math.max(place, 0), last);
      const expected = original.map((_, i) => {
        const [x, y] = [within((i % columns) + dx, columns - 1), within(Math.floor(i / columns) + dy, rows - 1)];
        return original[y * columns + x];
      });
      expect(picture).toEqual(expected);
    }
    expect(seen.size).toBe(25);
  });

  it('shows a part that is at least as large as told, which fills the picture', () => {
    const inputs = change(300, { crop: 0.5 });
    let min = Infinity;
    for (let sample = 0; sample < 300; sample++) {
      const row = of(inputs, sample).slice(4 * columns, 5 * columns);
      const step = ((row[9] ?? NaN) - (row[0] ?? NaN)) / 9;
      expect(step).toBeGreaterThan(9.8);
      expect(step).toBeLessThan(20.2);
      min = Math.min(min, step);
    }
    expect(min).toBeLessThan(11);
  });

  it('shrinks both directions alike', () => {
    const inputs = change(100, { crop: 0.5 });
    for (let sample = 0; sample < 100; sample++) {
      const picture = of(inputs, sample);
      const at = (x: number, y: number) => picture[y * columns + x] ?? NaN;
      const [across, down] = [(at(8, 4) - at(1, 4)) / 7, (at(5, 7) - at(5, 0)) / 7];
      // The plane is 20·x + 4·y; each pixel is rounded, so a slope is wrong by 1/7 at most.
      expect(Math.abs(down / 4 - across / 20)).toBeLessThan(1 / 28 + 1 / 140);
    }
  });

  it('mixes pixels, and never goes beyond them', () => {
    const inputs = new Float32Array(50 * area);
    for (let sample = 0; sample < 50; sample++) inputs[sample * area + 4 * columns + 5] = 1;
    const points: Samples = { inputs, inputShape: [1, rows, columns], count: 50 };
    const turned = augmented(points, { rotate: 30 }, createRandom(1));
    for (let sample = 0; sample < 50; sample++) {
      const picture = [...turned.subarray(sample * area, (sample + 1) * area)];
      expect(Math.min(...picture)).toBe(0);
      expect(Math.max(...picture)).toBeLessThanOrEqual(1);
      // The weights of linear interpolation around a point of a turned grid add up to about 1.
      const sum = picture.reduce((total, value) => total + value, 0);
      expect(Math.abs(sum - 1)).toBeLessThan(0.35);
    }
  });

  it('turns about the middle by up to the bound, each way', () => {
    const inputs = change(300, { rotate: 20 });
    const angles = Array.from({ length: 300 }, (_, sample) => {
      const picture = of(inputs, sample);
      const at = (x: number, y: number) => picture[y * columns + x] ?? NaN;
      // On the plane 20·u + 4·v, the slopes along x and y turn as the vector (20, 4) does.
      const [across, down] = [(at(6, 4) - at(3, 4)) / 3, (at(5, 5) - at(5, 2)) / 3];
      return ((Math.atan2(down, across) - Math.atan2(4, 20)) * 180) / Math.PI;
    });
    expect(Math.max(...angles)).toBeLessThan(21.5);
    expect(Math.max(...angles)).toBeGreaterThan(17);
    expect(Math.min(...angles)).toBeGreaterThan(-21.5);
    expect(Math.min(...angles)).toBeLessThan(-17);
  });

  it('depends on the seed, and on no other sample', () => {
    expect(change(5, defaultAugmentation)).toEqual(change(5, defaultAugmentation));
    expect(change(5, defaultAugmentation, 2)).not.toEqual(change(5, defaultAugmentation));
    expect(change(9, defaultAugmentation).subarray(0, 5 * 2 * area)).toEqual(change(5, defaultAugmentation));
  });

  it('keeps numbers that are no bytes', () => {
    const { inputs, ...rest } = ramps(2);
    const floats = augmented(
      { ...rest, inputs: Float32Array.from(inputs, (byte) => byte / 255) },
      { rotate: 10 },
      createRandom(1),
    );
    expect(floats).toBeInstanceOf(Float32Array);
    const bytes = augmented(ramps(2), { rotate: 10 }, createRandom(1));
    floats.forEach((value, i) => {
      expect(Math.abs(value * 255 - (bytes[i] ?? NaN))).toBeLessThan(0.51);
    });
  });
});

describe('--augment', () => {
  it.each<[string, unknown]>([
    ['all', 'all'],
    ['flip', { flip: true }],
    ['shift,rotate', { shift: 0.125, rotate: 10 }],
    ['crop=0.9,shift=0.05', { crop: 0.9, shift: 0.05 }],
  ])('understands %s', (text, expected) => {
    expect(augmentation(text)).toEqual(expected);
  });

  it.each([
    ['mirror', /Expected all, or some of flip, shift, crop, rotate/],
    ['shift=2', /shift: expected a number of at most 0.5, got 2/],
    ['rotate=far', /rotate: expected a number, got NaN/],
    ['flip=1', /flip: expected true, got 1/],
    ['', /Expected all/],
  ])('refuses "%s"', (text, message) => {
    expect(() => augmentation(text)).toThrow(message);
  });
});

describe('a draw', () => {
  /**
   * A picture of two channels: a pixel's column in the first, its row in the second. Both are linear, so that
   * interpolation between pixels gives the place itself.
   */
  const places = Float32Array.from({ length: 2 * area }, (_, i) =>
    i < area ? i % columns : Math.floor(i / columns) % rows,
  );

  it.each<[string, Augmentation, readonly number[]]>([
    ['mirrors', { flip: true }, [0.49, 0.5, 0, 0.5, 0.5, 0.5, 0.5]],
    ['mirrors not', { flip: true }, [0.5, 0.5, 0, 0.5, 0.5, 0.5, 0.5]],
    ['turns to the right', { rotate: 40 }, [0.9, 0.95, 0.3, 0.6, 0.2, 0.1, 0.8]],
    ['turns to the left, mirrored', { flip: true, rotate: 45 }, [0.1, 0, 0.3, 0.6, 0.2, 0.1, 0.8]],
    ['shifts', { shift: 0.5 }, [0.9, 0.3, 0.3, 0.87, 0.13, 0.1, 0.8]],
    ['crops', { crop: 0.4 }, [0.9, 0.3, 0.25, 0.6, 0.2, 0.1, 0.8]],
    ['does it all', { flip: true, rotate: 30, shift: 0.25, crop: 0.5 }, [0.2, 0.7, 0.6, 0.9, 0.3, 0.05, 0.75]],
  ])('%s by the formula', (_, how, draws) => {
    const [mirrored = NaN, turned = NaN, cropped = NaN, across = NaN, down = NaN, left = NaN, top = NaN] = draws;
    const { flip = false, rotate = 0, shift = 0, crop = 1 } = how;
    // The draw is 2·tan(angle/2), which turns 45° by 42.9°, and small angles by themselves.
    const angle = 2 * Math.atan(((2 * turned - 1) * rotate * Math.PI) / 360);
    const scale = crop + (1 - crop) * cropped;
    const room = (1 - scale) / 2;
    const dx = Math.round((2 * across - 1) * shift * columns) + (2 * left - 1) * room * columns;
    const dy = Math.round((2 * down - 1) * shift * rows) + (2 * top - 1) * room * rows;
    const within = (place: number, last: number) => Math.min(Math.max(place, 0), last);
    const expected = Array.from({ length: area }, (__, i) => {
      const x = ((i % columns) - (columns - 1) / 2) * scale * (flip && mirrored < 0.5 ? -1 : 1);
      const y = (Math.floor(i / columns) - (rows - 1) / 2) * scale;
      const u = Math.cos(angle) * x - Math.sin(angle) * y + dx + (columns - 1) / 2;
      const v = Math.sin(angle) * x + Math.cos(angle) * y + dy + (rows - 1) / 2;
      return [within(u, columns - 1), within(v, rows - 1)] as const;
    });
    const waiting = [...draws];
    const random = { ...createRandom(1), uniform: () => waiting.shift() ?? NaN };
    const found = augmented({ inputs: places, inputShape: [2, rows, columns], count: 1 }, how, random);
    const wanted = [...expected.map(([u]) => u), ...expected.map(([, v]) => v)];
    expectAllClose('places', found, Float64Array.from(wanted), { atol: 1e-5 });
    expect(waiting).toEqual([]);
  });
});
