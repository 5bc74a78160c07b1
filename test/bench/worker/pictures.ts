/**
 * Measures pictures from cameras and hostile ones: the time for each, and the memory that six at once leave in an
 * isolate. Decoding is one long step of JavaScript, during which workerd's inspector does not answer. So the figures
 * are the isolate's memory right after a step, garbage included, and the peak of the process.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp, { type Sharp } from 'sharp';
import { Client } from 'undici';
import {
  decodeRows,
  PictureError,
  type PicturePreparation,
  plainPreparation,
  prepareRows,
} from '../../../training/pictures/index.ts';
import type { Server } from '../../bundle/workerd.ts';
import { CAMERA, floods, heaviestPictures, refusedPictures } from '../../unit/hostile/pictures.ts';
import { Inspector } from './isolate-memory.ts';

export interface BenchPicture {
  readonly name: string;
  readonly kind: 'camera' | 'heaviest' | 'refused';
  readonly bytes: Uint8Array;
}

function pictureOf(sample: (x: number, y: number, channel: number) => number): Sharp {
  const { width, height } = CAMERA;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let channel = 0; channel < 3; channel++) data[i++] = sample(x, y, channel);
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Draws smooth waves with noise, which compress badly. */
const photo = (): Sharp =>
  pictureOf((x, y, channel) => {
    const noise = (Math.imul((y * CAMERA.width + x) * 3 + channel, 2654435761) >>> 24) % 24;
    return 120 + 70 * Math.sin(x / 100 + y / 90 + channel) + 40 * Math.sin((x * y) / 3000) + noise;
  });

/** Draws areas of one colour, lines and a gradient. */
const screenshot = (): Sharp =>
  pictureOf((x, y, channel) => (y % 40 < 12 && Math.imul(x >> 2, y) % 7 === 0 ? 20 : 200 + 5 * channel + (y >> 7)));

/** The largest body. A decoder ignores the bytes behind the end of the file. */
const LARGEST = 8 * 1024 * 1024;
const filled = (file: Uint8Array): Uint8Array => {
  const body = new Uint8Array(LARGEST);
  body.set(file);
  return body;
};

export async function benchPictures(): Promise<readonly BenchPicture[]> {
  const noisy = photo();
  const camera: Readonly<Record<string, Sharp>> = {
    'baseline JPEG, 4:2:0': noisy.clone().jpeg({ quality: 90 }),
    'baseline JPEG, 4:4:4': noisy.clone().jpeg({ quality: 92, chromaSubsampling: '4:4:4' }),
    'progressive JPEG, 4:2:0': noisy.clone().jpeg({ quality: 90, progressive: true }),
    'progressive JPEG, 4:4:4': noisy.clone().jpeg({ quality: 92, progressive: true, chromaSubsampling: '4:4:4' }),
    "mozjpeg's JPEG": noisy.clone().jpeg({ quality: 85, mozjpeg: true }),
    'JPEG on its side': noisy.clone().withMetadata({ orientation: 6 }).jpeg({ quality: 90 }),
    'PNG of a screen, with alpha': screenshot().ensureAlpha().png({ adaptiveFiltering: true }),
  };
  const pictures: BenchPicture[] = [];
  for (const [name, image] of Object.entries(camera))
    pictures.push({ name, kind: 'camera', bytes: await image.toBuffer() });
  const hostile = (kind: BenchPicture['kind'], of: typeof floods): void => {
    for (const { name, file } of of) pictures.push({ name, kind, bytes: file() });
  };
  hostile('heaviest', heaviestPictures(CAMERA));
  hostile('refused', [...refusedPictures, ...floods]);
  return pictures;
}

export interface PictureTime {
  /** The milliseconds of CPU time: the first time, and the faster of two later ones. */
  readonly first: number;
  readonly again: number;
  /** The error message; undefined where the picture can be read. */
  readonly refusal: string | undefined;
}

export const preparations = {
  photo: plainPreparation({ rows: 224, columns: 224 }, 3),
  drawing: { ...plainPreparation({ rows: 28, columns: 28 }, 1), drawing: true },
} satisfies Record<string, PicturePreparation>;

export function timePicture(bytes: Uint8Array, preparation: PicturePreparation): PictureTime {
  const times = [0, 1, 2].map(() => timeOnce(bytes, preparation));
  const [first] = times;
  return {
    first: first?.milliseconds ?? NaN,
    again: Math.min(...times.slice(1).map(({ milliseconds }) => milliseconds)),
    refusal: first?.refusal,
  };
}

function timeOnce(bytes: Uint8Array, preparation: PicturePreparation) {
  const before = process.cpuUsage();
  let refusal: string | undefined;
  try {
    prepareRows(decodeRows(bytes), preparation);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    refusal = error.message;
  }
  const { user, system } = process.cpuUsage(before);
  return { milliseconds: (user + system) / 1000, refusal };
}

export interface PictureMemory {
  /** The isolate's memory beyond that at rest, in bytes: heap and array buffers, garbage included. */
  readonly isolate: number;
  /** The process's peak beyond its memory at rest, in bytes. */
  readonly process: number;
}

const AT_ONCE = 6;
const ROUNDS = 2;

/** Sends a picture over six connections at once, several times in a row, padded to the largest body. */
export async function picturesAtOnce(server: Server, path: string, bytes: Uint8Array): Promise<PictureMemory> {
  using inspector = await Inspector.connect(server.inspector ?? '');
  const rest = await inspector.live();
  const resident = statusOf(server.pid, 'VmRSS');
  // This resets the peak of the process.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const body = filled(bytes.subarray(0, LARGEST));
  const clients = Array.from({ length: AT_ONCE }, () => new Client(server.url, { headersTimeout: 120_000 }));
  const watch = { isOver: false, peak: 0 };
  const watching = watchIsolate(inspector, watch);
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      clients.map(async (client) => {
        const response = await client.request({
          method: 'POST',
          path,
          headers: { 'content-type': 'image/jpeg' },
          body,
        });
        const text = await response.body.text();
        if (response.statusCode >= 500)
          throw new Error(`${path}: unexpected ${response.statusCode}: ${text.slice(0, 200)}`);
      }),
    );
  }
  watch.isOver = true;
  await watching;
  await Promise.all(clients.map((client) => client.close()));
  return {
    isolate: watch.peak - rest.heap - rest.buffers,
    process: statusOf(server.pid, 'VmHWM') - resident,
  };
}

async function watchIsolate(inspector: Inspector, watch: { isOver: boolean; peak: number }): Promise<void> {
  while (!watch.isOver) {
    const { heap, buffers } = await inspector.memory();
    watch.peak = Math.max(watch.peak, heap + buffers);
    await sleep(5);
  }
}

const statusOf = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
