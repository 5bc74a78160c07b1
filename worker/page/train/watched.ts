/** Follows one channel and one sample over the steps: mini-batch statistics beside running statistics. */
import { find } from '../dom.ts';
import { number } from '../format.ts';
import { createChart, type Picture } from './chart.ts';
import type { Begun, HeldSample, News, Watched } from './engine/messages.ts';
import { maxHeld, type Settings, widthOf } from './engine/settings.ts';
import { Measurements } from './series.ts';

interface Traces {
  readonly running: Measurements;
  readonly batch: Measurements;
}

const traces = (): Traces => ({ running: new Measurements(), batch: new Measurements() });

export interface WatchedView {
  readonly watched: Watched;
  /** Discards the traces of the previous network. */
  readonly begin: (settings: Settings) => void;
  /** Sets the ranges of the controls; where a choice is beyond its range, the last one is watched. */
  readonly showBegun: (begun: Begun) => void;
  readonly showHeld: (sample: HeldSample) => void;
  readonly showNews: (news: News) => void;
  readonly moveSample: (at: Watched['sample']) => void;
}

/** @param watch receives the new channel or sample */
export function createWatchedView(watch: (watched: Watched) => void): WatchedView {
  const [layer, channel, x, y, held] = (
    ['#watched-layer', '#watched-channel', '#sample-x', '#sample-y', '#held'] as const
  ).map((id) => find(id, HTMLInputElement)) as Inputs;
  /** The class whose probability is drawn, and its name. */
  let answerClass = ofPlane;
  const affine = find('#affine', HTMLElement);
  let [answers, means, deviations] = [traces(), traces(), traces()];
  const draws = [
    createChart(find('#answers', SVGSVGElement), 'share', () =>
      pictureOf(answers, `Probability of ${answerClass.phrase} for the watched sample`),
    ),
    createChart(find('#means', SVGSVGElement), 'free', () => pictureOf(means, 'Mean of the channel')),
    createChart(find('#deviations', SVGSVGElement), 'free', () => pictureOf(deviations, 'Deviation of the channel')),
  ];
  const watched = (): Watched => ({
    layer: layer.valueAsNumber - 1,
    channel: channel.valueAsNumber - 1,
    sample: { x: x.valueAsNumber, y: y.valueAsNumber },
    held: held.valueAsNumber - 1,
  });
  const showNumbers = (): void => {
    outputOf(layer).value = `${layer.value} of ${layer.max}`;
    outputOf(channel).value = `${channel.value} of ${channel.max}`;
    outputOf(held).value = `${held.value} of ${held.max}`;
    for (const input of [x, y]) outputOf(input).value = number(input.valueAsNumber);
  };
  const changeChannel = (): void => {
    [means, deviations] = [traces(), traces()];
    showNumbers();
    watch(watched());
  };
  const changeSample = (): void => {
    answers = traces();
    showNumbers();
    watch(watched());
  };
  const showAnswerClass = (now: typeof ofPlane): void => {
    answerClass = now;
    find('#asked-class', HTMLElement).textContent = now.sign;
  };
  for (const input of [layer, channel]) input.addEventListener('input', changeChannel);
  for (const input of [x, y, held]) input.addEventListener('input', changeSample);
  showNumbers();

  return {
    get watched() {
      return watched();
    },
    begin: ({ depth, data }) => {
      layer.max = String(depth);
      channel.max = String(widthOf(data));
      [answers, means, deviations] = [traces(), traces(), traces()];
      showNumbers();
    },
    showBegun: ({ of, heldBack }) => {
      const before = held.valueAsNumber;
      held.max = String(Math.min(Math.max(heldBack, 1), maxHeld));
      if (held.valueAsNumber !== before) watch(watched());
      if (of === 'plane') showAnswerClass(ofPlane);
      showNumbers();
    },
    showHeld: ({ label }) => {
      answers = traces();
      showAnswerClass({ label, sign: 'its own class', phrase: 'its own class' });
    },
    moveSample: (at) => {
      [x.valueAsNumber, y.valueAsNumber] = [at.x, at.y];
      changeSample();
    },
    showNews: ({ step, watched: looked, sides: { with: news } }) => {
      // Where nothing is held back, no sample gives the class, and the last one may be of other data.
      const ofClass = (shares: Float32Array): number => shares[answerClass.label] ?? NaN;
      if (isSameSample(looked, watched()))
        note(answers, step, { running: ofClass(news.sample.running), batch: ofClass(news.sample.batch) });
      const norm = news.layers[layer.valueAsNumber - 1]?.norm;
      // A network may have fewer layers than the slider said when the news was sent.
      const ofChannel = (values: Float32Array | undefined): number => values?.[channel.valueAsNumber - 1] ?? NaN;
      note(means, step, { running: ofChannel(norm?.runningMean), batch: ofChannel(norm?.batchMean) });
      note(deviations, step, {
        running: Math.sqrt(ofChannel(norm?.runningVar)),
        batch: Math.sqrt(ofChannel(norm?.batchVar)),
      });
      for (const draw of draws) draw();
      affine.textContent = `Learned: γ = ${number(ofChannel(norm?.gamma))}, β = ${number(ofChannel(norm?.beta))}`;
    },
  };
}

type Inputs = [
  layer: HTMLInputElement,
  channel: HTMLInputElement,
  ...others: [HTMLInputElement, HTMLInputElement, HTMLInputElement],
];

const isSameSample = (a: Watched, b: Watched): boolean =>
  a.held === b.held && a.sample.x === b.sample.x && a.sample.y === b.sample.y;

const ofPlane = { label: 1, sign: '▲', phrase: 'a triangle' };

const outputOf = ({ id }: HTMLInputElement): HTMLOutputElement => find(`output[for=${id}]`, HTMLOutputElement);

function note(
  { running, batch }: Traces,
  step: number,
  now: { readonly running: number; readonly batch: number },
): void {
  running.add(step, now.running);
  batch.add(step, now.batch);
}

function pictureOf({ running, batch }: Traces, what: string): Picture {
  const last = ({ dots }: Measurements): string => number(dots.at(-1)?.value ?? NaN);
  return {
    drawn: [
      { className: 'without', dots: batch.dots, as: 'dots' },
      { className: 'with', dots: running.dots, as: 'line' },
    ],
    label: `${what}: ${last(running)} by running statistics, ${last(batch)} of the mini-batch.`,
  };
}
