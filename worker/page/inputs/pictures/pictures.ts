/**
 * Takes pictures: drawn on the pad when the model reads drawings, picked, chosen, dropped, pasted, or taken by the
 * camera.
 */
import { answerOfClasses, type Classified } from '../../api/answer.ts';
import { type Model, pathOf, type PictureInfo } from '../../api/model.ts';
import type { Body, Call } from '../../api/request.ts';
import { make } from '../../dom.ts';
import type { Input, InputKind, Neighbour, Question } from '../question.ts';
import { loadDigits, readsDigits } from './digits.ts';
import { createPad } from './drawing/pad.ts';
import { createPicks, type Picks } from './picks.ts';
import { drawPixels } from './draw-pixels.ts';
import type { Pixels } from './pixels.ts';
import { pixelsOfPng } from './png.ts';
import { createSources } from './sources.ts';
import { variantsOf } from './variants.ts';

export const pictures = (info: PictureInfo): InputKind<Pixels> => ({
  noun: info.drawing ? 'drawing' : 'picture',
  title: info.drawing ? 'A drawing' : 'A picture',
  create: (model, ask) => create(model, info, ask),
  explain: (model, samples) => ({ path: `${pathOf('v2', model)}/explain`, body: bodyOf(samples) }),
  neighbours: (model, sample) => neighbours(model, info, sample),
});

const bodyOf = (samples: readonly Pixels[]): Body => ({
  kind: 'pixels',
  bytes: Uint8Array.from(samples.flatMap((pixels) => [...pixels])),
});

/** The test digit that is on the pad at first, unless the visitor is faster. */
const FIRST_DIGIT = 7;

type Ask = (question: Question<Pixels> | undefined, hint?: string) => void;

function create(model: Model, info: PictureInfo, ask: Ask): Input {
  const hint = info.drawing ? 'Draw something, or choose a picture of a drawing.' : 'Choose, drop or paste a picture.';
  let picks: Picks | undefined;
  const preview = make('figure', { className: 'seen-picture', hidden: true });
  /** Counts the pictures, so that nothing that takes a while replaces one that has come since. */
  let count = 0;
  const askPixels = (pixels: Pixels | undefined): void => {
    count += 1;
    preview.hidden = true;
    if (pixels) ask(questionOf(model, info, bodyOf([pixels]), pixels));
    else ask(undefined, hint);
  };
  const pad = info.drawing
    ? createPad(info, (drawing) => {
        picks?.release();
        askPixels(drawing);
      })
    : undefined;
  const sources = createSources((file) => {
    count += 1;
    picks?.release();
    ask(questionOf(model, info, { kind: 'file', file, name: file.name }));
  });
  const picked = make('div');
  const root = make('div', { className: 'pictures' }, ...(pad ? [pad.root, picked] : []), sources.root, preview);

  async function start(): Promise<void> {
    ask(undefined, hint);
    if (!pad || !readsDigits(model)) return;
    const { asked } = await loadDigits();
    picks = createPicks(asked, info, ({ pixels }) => {
      pad.show(pixels);
      askPixels(pixels);
    });
    picked.replaceChildren(picks.root);
    if (count === 0) picks.pick(FIRST_DIGIT);
  }
  return {
    root,
    under: { input: [], answer: [] },
    start: () => {
      start().catch((error: unknown) => {
        if (count === 0) ask(undefined, `${hint} ${error instanceof Error ? error.message : ''}`);
      });
    },
    answered: (_, response) => {
      void showPreview(response);
    },
  };

  /** Shows what the model saw of a file. */
  async function showPreview(response: unknown): Promise<void> {
    const image = imageIn(response);
    if (image === undefined) return;
    const shown = count;
    const pixels = await pixelsOfPng(image, info);
    if (shown !== count) return;
    const canvas = drawPixels(pixels, info);
    pad?.show(pixels);
    preview.hidden = pad !== undefined;
    const size = `${info.columns} × ${info.rows} pixels${info.channels === 1 ? ', grey' : ''}`;
    canvas.role = 'img';
    canvas.ariaLabel = 'The picture as the model sees it';
    preview.replaceChildren(canvas, make('figcaption', {}, `What the model sees: ${size}.`));
  }
}

type Prediction = Classified & { readonly image?: string };

function predictionIn(response: unknown): Prediction {
  const [first] = (response as { readonly predictions: readonly Prediction[] }).predictions;
  if (!first) throw new Error('internal: no answer to the picture');
  return first;
}

const imageIn = (response: unknown): string | undefined => predictionIn(response).image;

/** @param pixels the picture's pixels, when they are known before the Worker prepares it */
function questionOf(model: Model, info: PictureInfo, body: Body, pixels?: Pixels): Question<Pixels> {
  const query = { top_k: '1000', ...(!pixels && { image: 'true' }) };
  const call: Call = { path: `${pathOf('v2', model)}/classify`, query, body };
  return {
    call,
    read: (response) => answerOfClasses(predictionIn(response)),
    sampleIn: (response) => (pixels ? Promise.resolve(pixels) : pixelsOfPng(imageIn(response) ?? '', info)),
  };
}

async function neighbours(model: Model, info: PictureInfo, sample: Pixels): Promise<readonly Neighbour<Pixels>[]> {
  if (!readsDigits(model))
    return variantsOf(sample, info).map(({ pixels, kind }) => ({
      sample: pixels,
      picture: drawPixels(pixels, info),
      kind,
    }));
  const { neighbours: digits } = await loadDigits();
  return digits.map(({ pixels, label }) => ({ sample: pixels, picture: drawPixels(pixels, info), kind: `${label}s` }));
}
