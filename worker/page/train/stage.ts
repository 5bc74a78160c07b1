/** The stage of the training page: connects the controls and the views with the engine. */
import { find, onClick } from '../dom.ts';
import { number } from '../format.ts';
import { copyLink, settingsInAddress } from './address.ts';
import { createByHand } from './by-hand.ts';
import { createControls, isTuned } from './controls.ts';
import { startEngine } from './engine-client.ts';
import type { Begun, News, Report, TableReport } from './engine/messages.ts';
import { isToy, type Point, type Settings, type Side, sides } from './engine/settings.ts';
import { createExperiments } from './experiments.ts';
import { createGuesses } from './guesses.ts';
import { createHeldView } from './held-sample.ts';
import { createLayers } from './layers.ts';
import { Losses } from './losses.ts';
import { createOwnFile } from './own-file.ts';
import { createPlane } from './plane.ts';
import { commandFor, lossesText, saveAs } from './save.ts';
import { maxPoints, toHash } from './share.ts';
import { createWatchedView } from './watched.ts';
import { inWordsOfThePage } from './wording.ts';

export class Stage {
  #settings = settingsInAddress(showTrouble);
  #isRunning = false;
  /** Counts the runs, so that reports of an earlier run are ignored. */
  #run = 0;
  /** Holds the reason why training is impossible; undefined where it is possible. */
  #obstacle: string | undefined;
  /** The last table that the engine has read and can train with. */
  #table: TableReport | undefined;
  /** The kind of the current run's data. */
  #kind: Begun['of'] = 'plane';

  readonly #startButton = find('#go', HTMLButtonElement);
  readonly #pace = find('#pace', HTMLSelectElement);
  readonly #shared = find('#shared', HTMLElement);
  readonly #savedSide = find('#away-side', HTMLSelectElement);

  readonly #engine = startEngine((report) => {
    this.#handle(report);
  });
  readonly #losses = new Losses();
  readonly #showLayers = createLayers();
  readonly #showByHand = createByHand();
  readonly #planes = bySide((side) =>
    createPlane(side, (at) => {
      this.#click(at);
    }),
  );
  readonly #guesses = bySide(createGuesses);
  readonly #heldView = createHeldView();
  readonly #controls = createControls((part) => {
    this.#change(part);
  }, showTrouble);
  readonly #ownFile = createOwnFile((file, label) => {
    showTrouble('');
    this.#setRunning(false);
    // A link names the label column that it was made with.
    const linked = this.#settings.data === 'own' && this.#table === undefined ? this.#settings.label : '';
    this.#engine.send({ kind: 'table', file, label: label ?? linked });
  });
  readonly #watching = createWatchedView((watched) => {
    for (const side of sides) this.#planes[side].showSample(watched.sample);
    this.#engine.send({ kind: 'watch', watched });
  });
  readonly #showExperiment = createExperiments(() => {
    this.#followAddress();
  });

  constructor() {
    this.#connectRun();
    this.#connectData();
    this.#connectFiles();
    window.addEventListener('hashchange', () => {
      this.#followAddress();
    });
  }

  /** Begins the run that the address describes. */
  begin(): void {
    this.#showExperiment(location.hash);
    this.#begin();
  }

  #connectRun(): void {
    this.#startButton.addEventListener('click', () => {
      if (this.#isRunning || !this.#isRefused()) this.#setRunning(!this.#isRunning);
    });
    this.#pace.addEventListener('change', () => {
      if (this.#isRunning) this.#setRunning(true);
    });
    onClick('#step', () => {
      if (this.#isRefused()) return;
      this.#setRunning(false);
      this.#engine.send({ kind: 'step' });
    });
    onClick('#reset', () => {
      showTrouble('');
      this.#setRunning(false);
      this.#begin();
    });
  }

  #connectData(): void {
    onClick('#share', () => {
      void copyLink().then((done) => {
        const rest = this.#settings.data === 'own' ? ', without your file: it stays here' : '';
        this.#shared.textContent = `${done}${rest}.`;
      });
    });
    onClick('#undrop', () => {
      this.#change({ points: [] });
    });
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-drop]')) {
      button.addEventListener('click', () => {
        this.#drop({ ...this.#watching.watched.sample, label: Number(button.dataset['drop']) });
      });
    }
  }

  #connectFiles(): void {
    for (const as of ['model', 'checkpoint', 'data'] as const) {
      onClick(`#save-${as}`, () => {
        const of = this.#savedSide.value === 'without' ? 'without' : 'with';
        if (this.#isRefused()) return;
        showTrouble('');
        this.#engine.send({ kind: 'file', of, as });
      });
    }
    this.#savedSide.addEventListener('change', () => {
      this.#showCommand();
    });
    onClick('#save-losses', () => {
      if (this.#isRefused()) return;
      this.#engine.send({ kind: 'losses' });
    });
  }

  #followAddress(): void {
    showTrouble('');
    this.#settings = settingsInAddress(showTrouble);
    this.#setRunning(false);
    this.begin();
  }

  #setRunning(on: boolean): void {
    this.#isRunning = on;
    this.#startButton.textContent = on ? 'Pause' : 'Start';
    this.#engine.send(on ? { kind: 'run', pace: Number(this.#pace.value) } : { kind: 'pause' });
  }

  #showObstacle(obstacle: string | undefined): void {
    this.#obstacle = obstacle;
    find('#stage', HTMLElement).classList.toggle('is-stuck', obstacle !== undefined);
  }

  /** Returns whether training is impossible, and shows the reason. */
  #isRefused(): boolean {
    if (this.#obstacle !== undefined) showTrouble(this.#obstacle);
    return this.#obstacle !== undefined;
  }

  #begin(): void {
    this.#controls.show(this.#settings);
    this.#watching.begin(this.#settings);
    this.#losses.begin();
    find('#progress', HTMLElement).textContent = 'preparing …';
    this.#showObstacle(undefined);
    this.#run += 1;
    this.#engine.send({ kind: 'begin', run: this.#run, settings: this.#settings });
    this.#engine.send({ kind: 'watch', watched: this.#watching.watched });
  }

  /** Writes the settings into the address. */
  #keep(settings: Settings): void {
    this.#settings = settings;
    history.replaceState(null, '', toHash(settings));
    this.#shared.textContent = '';
  }

  #change(part: Partial<Settings>): void {
    const before = this.#settings;
    showTrouble('');
    this.#keep({ ...before, ...part });
    if (isTuned(before, this.#settings)) {
      this.#controls.show(this.#settings);
      this.#engine.send({ kind: 'tune', settings: this.#settings });
      return;
    }
    const wasRunning = this.#isRunning;
    this.#begin();
    if (wasRunning) this.#setRunning(true);
  }

  /** Begins a run with the table, unless the engine has found a problem in it. */
  #takeTable(report: TableReport): void {
    this.#ownFile.showRead(report);
    if (report.problem !== undefined) {
      showTrouble(inWordsOfThePage(report.problem));
      return;
    }
    this.#table = report;
    this.#keep({ ...this.#settings, data: 'own', label: report.label });
    this.#begin();
  }

  #click(at: Pick<Point, 'x' | 'y'>): void {
    const chosen = find('input[name=click]:checked', HTMLInputElement).value;
    if (chosen === 'watch') this.#watching.moveSample(at);
    else this.#drop({ ...at, label: Number(chosen) });
  }

  #drop(point: Point): void {
    const { data, points } = this.#settings;
    if (!isToy(data)) return;
    if (points.length < maxPoints) this.#change({ points: [...points, point] });
    else showTrouble(`Dropped by hand: expected at most ${maxPoints} points.`);
  }

  #handle(report: Report): void {
    if ('run' in report && report.run !== this.#run) return;
    switch (report.kind) {
      case 'begun':
        this.#showBegun(report.begun);
        return;
      case 'sample':
        this.#heldView.show(report.sample);
        this.#watching.showHeld(report.sample);
        for (const side of sides) this.#guesses[side].showLabel(report.sample.label);
        return;
      case 'table':
        this.#takeTable(report);
        return;
      case 'news':
        this.#showNews(report.news);
        return;
      case 'validated':
        this.#losses.showValidated(report.validated);
        for (const side of sides) this.#planes[side].showValidation(report.validated.sides[side]);
        return;
      case 'losses':
        saveAs('losses.csv', 'text/csv', lossesText(report.losses));
        return;
      case 'file':
        saveAs(report.name, 'application/octet-stream', report.content);
        return;
      case 'refused':
        showTrouble(inWordsOfThePage(report.message));
        return;
      case 'over':
        this.#showStopped();
        return;
      case 'trouble':
        this.#showStopped();
        find('#progress', HTMLElement).textContent = '';
        this.#showObstacle(inWordsOfThePage(report.message));
        this.#isRefused();
    }
  }

  #showBegun(begun: Begun): void {
    for (const element of document.querySelectorAll<HTMLElement>('[data-only]'))
      element.hidden = !(element.dataset['only'] ?? '').split(' ').includes(begun.of);
    for (const side of sides) {
      this.#planes[side].showPoints(begun.points, begun.held);
      this.#guesses[side].begin(begun.classes);
    }
    this.#heldView.begin(begun);
    this.#watching.showBegun(begun);
    this.#ownFile.showBegun(begun);
    this.#kind = begun.of;
    this.#showCommand();
  }

  #showCommand(): void {
    find('#go-on', HTMLElement).textContent = commandFor(this.#kind, this.#table, this.#savedSide.value);
  }

  #showStopped(): void {
    this.#isRunning = false;
    this.#startButton.textContent = 'Start';
  }

  #showNews(news: News): void {
    const { step, epoch, stepsPerSecond } = news;
    const speed = stepsPerSecond > 0 ? `, ${number(Math.round(stepsPerSecond))} steps/s` : '';
    find('#progress', HTMLElement).textContent = `step ${number(step)}, epoch ${epoch}${speed}`;
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

export function showTrouble(message: string): void {
  const trouble = find('#trouble', HTMLElement);
  trouble.textContent = message;
  trouble.hidden = message === '';
}

const bySide = <T>(make: (side: Side) => T): Readonly<Record<Side, T>> => ({
  with: make('with'),
  without: make('without'),
});
