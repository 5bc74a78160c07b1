/** The stage of the training page: turns what the user does into orders for the engine, and its reports into views. */
import { find, onClick } from '../dom.ts';
import { copyLink, settingsInAddress } from './address.ts';
import { createControls, isTuned } from './controls.ts';
import { startEngine } from './engine-client.ts';
import type { Begun, Report, TableReport } from './engine/messages.ts';
import { isToy, type Point, type Settings } from './engine/settings.ts';
import { createExperiments } from './experiments.ts';
import { createOwnFile } from './own-file.ts';
import { commandFor, lossesText, saveAs } from './save.ts';
import { RunViews } from './run-views.ts';
import { maxPoints, toHash } from './share.ts';
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
  /** Is true while a table is read, until the user chooses something else to train with. */
  #isTableWanted = false;
  /** The kind of the current run's data. */
  #kind: Begun['of'] = 'plane';

  readonly #startButton = find('#go', HTMLButtonElement);
  readonly #pace = find('#pace', HTMLSelectElement);
  readonly #shared = find('#shared', HTMLElement);
  readonly #savedSide = find('#away-side', HTMLSelectElement);

  readonly #engine = startEngine((report) => {
    this.#handle(report);
  });
  readonly #views = new RunViews({
    click: (at) => {
      this.#click(at);
    },
    watch: (watched) => {
      this.#engine.send({ kind: 'watch', watched });
    },
  });
  readonly #controls = createControls((part) => {
    this.#change(part);
  }, showTrouble);
  readonly #ownFile = createOwnFile((file, label) => {
    showTrouble('');
    this.#setRunning(false);
    // A link names the label column that it was made with.
    const linked = this.#settings.data === 'own' && this.#table === undefined ? this.#settings.label : '';
    this.#isTableWanted = true;
    this.#engine.send({ kind: 'table', file, label: label ?? linked });
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
        this.#drop({ ...this.#views.watched.sample, label: Number(button.dataset['drop']) });
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
    this.#views.begin(this.#settings);
    this.#showObstacle(undefined);
    this.#run += 1;
    this.#isTableWanted = false;
    this.#engine.send({
      ...{ kind: 'begin', run: this.#run },
      ...{ settings: this.#settings, watched: this.#views.watched },
    });
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

  /** Begins a run with the table if it can be trained with and is still wanted. */
  #takeTable(report: TableReport): void {
    this.#ownFile.showRead(report);
    if (report.problem !== undefined) {
      showTrouble(inWordsOfThePage(report.problem));
      return;
    }
    this.#table = report;
    if (!this.#isTableWanted) return;
    this.#keep({ ...this.#settings, data: 'own', label: report.label });
    this.#begin();
  }

  #click(at: Pick<Point, 'x' | 'y'>): void {
    const chosen = find('input[name=click]:checked', HTMLInputElement).value;
    if (chosen === 'watch') this.#views.moveSample(at);
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
        this.#views.showBegun(report.begun);
        this.#ownFile.showBegun(report.begun);
        this.#kind = report.begun.of;
        this.#showCommand();
        return;
      case 'sample':
        this.#views.showSample(report.sample);
        return;
      case 'table':
        this.#takeTable(report);
        return;
      case 'news':
        this.#views.showNews(report.news);
        return;
      case 'validated':
        this.#views.showValidated(report.validated);
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
        this.#views.showNothing();
        this.#showObstacle(inWordsOfThePage(report.message));
        this.#isRefused();
    }
  }

  #showCommand(): void {
    find('#go-on', HTMLElement).textContent = commandFor(this.#kind, this.#table, this.#savedSide.value);
  }

  #showStopped(): void {
    this.#isRunning = false;
    this.#startButton.textContent = 'Start';
  }
}

export function showTrouble(message: string): void {
  const trouble = find('#trouble', HTMLElement);
  trouble.textContent = message;
  trouble.hidden = message === '';
}
