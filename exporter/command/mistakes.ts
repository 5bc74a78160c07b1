/**
 * Draws the worst mistakes as one SVG picture: each sample above its class, the predicted one, and how wrong that is.
 */
import { encode } from 'fast-png';
import type { Samples } from '../../training/data/index.ts';
import { at, elementCount } from '../../training/arrays/index.ts';
import type { Mistake } from '../../training/objective/index.ts';

const [columns, tile, margin, text] = [6, 96, 12, 36] as const;

/** Is true if samples are pictures with one grey channel or three colours. */
export const arePictures = ({ inputShape }: Samples): boolean =>
  inputShape.length === 3 && (inputShape[0] === 1 || inputShape[0] === 3);

export function drawMistakes(mistakes: readonly Mistake[], samples: Samples): string {
  const width = margin + columns * (tile + margin);
  const height = margin + Math.ceil(mistakes.length / columns) * (tile + text + margin);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">
<rect width="100%" height="100%" fill="white"/>
${mistakes.map((mistake, i) => drawMistake(mistake, samples, i)).join('\n')}
</svg>
`;
}

function drawMistake({ sample, expected, got, detail }: Mistake, samples: Samples, i: number): string {
  const x = margin + (i % columns) * (tile + margin);
  const y = margin + Math.floor(i / columns) * (tile + text + margin);
  const picture = `data:image/png;base64,${Buffer.from(pngOf(samples, sample)).toString('base64')}`;
  const line = (dy: number, fill: string, words: string) =>
    `<text x="${tile / 2}" y="${tile + dy}" fill="${fill}">${escape(words)}</text>`;
  return `<g transform="translate(${x} ${y})"><title>${escape(samples.files?.[sample] ?? `sample ${samples.places?.[sample] ?? sample}`)}</title>
<image width="${tile}" height="${tile}" href="${picture}" style="image-rendering: pixelated"/>
${line(15, '#222', `${expected} → ${got}`)}${line(30, '#777', detail)}
</g>`;
}

/**
 * Encodes a sample `[channels, rows, columns]`. Numbers that are not bytes are scaled from the sample's minimum and
 * maximum.
 */
function pngOf({ inputs, inputShape }: Samples, sample: number): Uint8Array {
  const [channels = 1, height = 1, width = 1] = inputShape;
  const size = elementCount(inputShape);
  const values = Float32Array.from(inputs.subarray(sample * size, (sample + 1) * size));
  const low = values.reduce((min, value) => Math.min(min, value), Infinity);
  const high = values.reduce((max, value) => Math.max(max, value), -Infinity);
  const byte = (value: number) => (inputs instanceof Uint8Array ? value : (255 * (value - low)) / (high - low || 1));
  const pixels = width * height;
  const data = Uint8Array.from({ length: size }, (_, i) =>
    byte(at(values, (i % channels) * pixels + Math.floor(i / channels))),
  );
  return encode({ width, height, channels, data });
}

const escape = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
