/** The views of a run: each report of the engine goes to those that show it. */
import { find } from '../dom.ts';
import { number } from '../format.ts';
import { createByHand } from './by-hand.ts';
import type { Begun, HeldSample, News, Validated, Watched } from './engine/messages.ts';
import { type Point, type Settings, type Side, sides } from './engine/settings.ts';
import { createGuesses } from './guesses.ts';
import { createHeldView } from './held-sample.ts';
import { createLayers } from './layers.ts';
import { Losses } from './losses.ts';
import { createPlane, type Plane } from './plane.ts';
import { createWatchedView, type WatchedView } from './watched.ts';

/** What the user does in the views. */
interface Handlers {
  /** Receives the place of a click on a plane. */
  readonly click: (at: Pick<Point, 'x' | 'y'>) => void;
  /** Receives a new choice of what to look at. */
  readonly watch: (watched: Watched) => void;
}

export class RunViews {
  readonly #progress = find('#progress', HTMLElement);
  readonly #losses = new Losses();
  readonly #showLayers = createLayers();
  readonly #showByHand = createByHand();
  readonly #guesses = bySide(createGuesses);
  readonly #heldView = createHeldView();
  readonly #planes: Readonly<Record<Side, Plane>>;
  readonly #watching: WatchedView;

  constructor({ click, watch }: Handlers) {
    this.#planes = bySide((side) => createPlane(side, click));
    this.#watching = createWatchedView((watched) => {
      for (const side of sides) this.#planes[side].showSample(watched.sample);
      watch(watched);
    });
  }

  get watched(): Watched {
    return this.#watching.watched;
  }

  moveSample(at: Watched['sample']): void {
    this.#watching.moveSample(at);
  }

  /** Discards what belongs to the previous run. */
  begin(settings: Settings): void {
    this.#watching.begin(settings);
    this.#losses.begin();
    this.#progress.textContent = 'preparing …';
  }

  /** Shows that there is no run, because the settings cannot be trained with. */
  showNothing(): void {
    this.#progress.textContent = '';
  }

  showBegun(begun: Begun): void {
    for (const element of document.querySelectorAll<HTMLElement>('[data-only]'))
      element.hidden = !(element.dataset['only'] ?? '').split(' ').includes(begun.of);
    for (const side of sides) {
      this.#planes[side].showPoints(begun.points, begun.held);
      this.#guesses[side].begin(begun.classes);
    }
    this.#heldView.begin(begun);
    this.#watching.showBegun(begun);
  }

  showSample(sample: HeldSample): void {
    this.#heldView.show(sample);
    this.#watching.showHeld(sample);
    for (const side of sides) this.#guesses[side].showLabel(sample.label);
  }

  showValidated(validated: Validated): void {
    this.#losses.showValidated(validated);
    for (const side of sides) this.#planes[side].showValidation(validated.sides[side]);
  }

  showNews(news: News): void {
    const { step, epoch, stepsPerSecond } = news;
    const speed = stepsPerSecond > 0 ? `, ${number(Math.round(stepsPerSecond))} steps/s` : '';
    this.#progress.textContent = `step ${number(step)}, epoch ${epoch}${speed}`;
    for (const side of sides) {
      this.#planes[side].showNews(news.sides[side]);
      this.#guesses[side].showNews(news.sides[side]);
    }
    this.#losses.showNews(news);
    this.#watching.showNews(news);
    this.#showLayers(news);
    this.#showByHand(news.sides.with.channel);
  }
}

const bySide = <T>(make: (side: Side) => T): Readonly<Record<Side, T>> => ({
  with: make('with'),
  without: make('without'),
});
