/** The training page's entry: connects the controls and views with the engine. */
import { find } from '../dom.ts';
import { number } from '../format.ts';
import { createByHand } from './by-hand.ts';
import { createControls, isTuned } from './controls.ts';
import { missingHere, startEngine } from './engine-client.ts';
import type { Begun, News, Report, TableReport } from './engine/messages.ts';
import { isToy, type Point, type Settings, sides, defaultSettings } from './engine/settings.ts';
import { createExperiments } from './experiments.ts';
import { createGuesses } from './guesses.ts';
import { createHeldView } from './held-sample.ts';
import { createLayers } from './layers.ts';
import { Losses } from './losses.ts';
import { createOwnFile } from './own-file.ts';
import { createPlane } from './plane.ts';
import { commandFor, lossesText, saveAs } from './save.ts';
import { fromHash, maxPoints, toHash } from './share.ts';
import { createWatchedView } from './watched.ts';
import { inWordsOfThePage } from './wording.ts';

const missing = missingHere();
if (missing === undefined) start();
else showTrouble(missing);

function showTrouble(message: string): void {
  const trouble = find('#trouble', HTMLElement);
  trouble.textContent = message;
  trouble.hidden = message === '';
}

function start(): void {
  find('#stage', HTMLElement).hidden = false;
  let settings = settingsInAddress();
  let isRunning = false;
  /** Counts the runs, so that reports of an earlier run are ignored. */
  let run = 0;
  /** Holds the reason why training is impossible; undefined where it is possible. */
  let obstacle: string | undefined;
  const engine = startEngine(handleReport);
  const losses = new Losses();
  const showLayers = createLayers();
  const showByHand = createByHand();
  const planes = { with: createPlane('with', click), without: createPlane('without', click) };
  const guesses = { with: createGuesses('with'), without: createGuesses('without') };
  const heldView = createHeldView();
  const controls = createControls(change, showTrouble);
  /** The last table that the engine has read and can train with. */
  let table: TableReport | undefined;
  const ownFile = createOwnFile((file, label) => {
    showTrouble('');
    setRunning(false);
    // A link names the label column that it was made with.
    const asked = label ?? (settings.data === 'own' && table === undefined ? settings.label : '');
    engine.send({ kind: 'table', file, label: asked });
  });
  const watching = createWatchedView((watched) => {
    for (const plane of Object.values(planes)) plane.showSample(watched.sample);
    engine.send({ kind: 'watch', watched });
  });
  const pace = find('#pace', HTMLSelectElement);
  const startButton = find('#go', HTMLButtonElement);
  const shared = find('#shared', HTMLElement);
  const awaySide = find('#away-side', HTMLSelectElement);
  let kind: Begun['of'] = 'plane';

  startButton.addEventListener('click', () => {
    if (isRunning || !isRefused()) setRunning(!isRunning);
  });
  pace.addEventListener('change', () => {
    if (isRunning) setRunning(true);
  });
  onClick('#step', () => {
    if (isRefused()) return;
    setRunning(false);
    engine.send({ kind: 'step' });
  });
  onClick('#reset', () => {
    showTrouble('');
    setRunning(false);
    begin();
  });
  onClick('#share', () => {
    void copyLink().then((done) => {
      shared.textContent = `${done}${settings.data === 'own' ? ', without your file: it stays here' : ''}.`;
    });
  });
  onClick('#undrop', () => {
    change({ points: [] });
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-drop]')) {
    button.addEventListener('click', () => {
      drop({ ...watching.watched.sample, label: Number(button.dataset['drop']) });
    });
  }
  const beginAsInAddress = (): void => {
    showTrouble('');
    settings = settingsInAddress();
    setRunning(false);
    showExperiment(location.hash);
    begin();
  };
  const showExperiment = createExperiments(beginAsInAddress);
  window.addEventListener('hashchange', beginAsInAddress);
  for (const as of ['model', 'checkpoint', 'data'] as const) {
    onClick(`#save-${as}`, () => {
      const of = awaySide.value === 'without' ? 'without' : 'with';
      if (isRefused()) return;
      showTrouble('');
      engine.send({ kind: 'file', of, as });
    });
  }
  awaySide.addEventListener('change', showCommand);
  onClick('#save-losses', () => {
    if (isRefused()) return;
    engine.send({ kind: 'losses' });
  });
  showExperiment(location.hash);
  begin();

  function setRunning(on: boolean): void {
    isRunning = on;
    startButton.textContent = on ? 'Pause' : 'Start';
    engine.send(on ? { kind: 'run', pace: Number(pace.value) } : { kind: 'pause' });
  }

  function showObstacle(why: string | undefined): void {
    obstacle = why;
    find('#stage', HTMLElement).classList.toggle('is-stuck', why !== undefined);
  }

  /** Returns whether training is impossible, and shows the reason. */
  function isRefused(): boolean {
    if (obstacle !== undefined) showTrouble(obstacle);
    return obstacle !== undefined;
  }

  function begin(): void {
    controls.show(settings);
    watching.begin(settings);
    losses.begin();
    find('#progress', HTMLElement).textContent = 'preparing …';
    showObstacle(undefined);
    run += 1;
    engine.send({ kind: 'begin', run, settings });
    engine.send({ kind: 'watch', watched: watching.watched });
  }

  function change(part: Partial<Settings>): void {
    const before = settings;
    showTrouble('');
    settings = { ...settings, ...part };
    history.replaceState(null, '', toHash(settings));
    shared.textContent = '';
    if (isTuned(before, settings)) {
      controls.show(settings);
      engine.send({ kind: 'tune', settings });
      return;
    }
    const wasRunning = isRunning;
    begin();
    if (wasRunning) setRunning(true);
  }

  /** Begins a run with the table, unless the engine has found a problem in it. */
  function takeTable(report: TableReport): void {
    ownFile.showRead(report);
    if (report.problem !== undefined) {
      showTrouble(inWordsOfThePage(report.problem));
      return;
    }
    table = report;
    settings = { ...settings, data: 'own', label: report.label };
    history.replaceState(null, '', toHash(settings));
    shared.textContent = '';
    begin();
  }

  function showBegun(begun: Begun): void {
    for (const element of document.querySelectorAll<HTMLElement>('[data-only]'))
      element.hidden = !(element.dataset['only'] ?? '').split(' ').includes(begun.of);
    for (const side of sides) {
      planes[side].showPoints(begun.points, begun.held);
      guesses[side].begin(begun.classes);
    }
    heldView.begin(begun);
    watching.showBegun(begun);
    ownFile.showBegun(begun);
    kind = begun.of;
    showCommand();
  }

  function showCommand(): void {
    find('#go-on', HTMLElement).textContent = commandFor(kind, table, awaySide.value);
  }

  function click(at: Pick<Point, 'x' | 'y'>): void {
    const chosen = find('input[name=click]:checked', HTMLInputElement).value;
    if (chosen === 'watch') watching.moveSample(at);
    else drop({ ...at, label: Number(chosen) });
  }

  function drop(point: Point): void {
    if (!isToy(settings.data)) return;
    if (settings.points.length < maxPoints) change({ points: [...settings.points, point] });
    else showTrouble(`Dropped by hand: expected at most ${maxPoints} points.`);
  }

  function handleReport(report: Report): void {
    if ('run' in report && report.run !== run) return;
    switch (report.kind) {
      case 'begun':
        showBegun(report.begun);
        return;
      case 'sample':
        heldView.show(report.sample);
        watching.showHeld(report.sample);
        for (const side of sides) guesses[side].showLabel(report.sample.label);
        return;
      case 'table':
        takeTable(report);
        return;
      case 'news':
        showNews(report.news);
        return;
      case 'validated':
        losses.showValidated(report.validated);
        for (const side of sides) planes[side].showValidation(report.validated.sides[side]);
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
        showStopped();
        return;
      case 'trouble':
        showStopped();
        find('#progress', HTMLElement).textContent = '';
        showObstacle(inWordsOfThePage(report.message));
        isRefused();
    }
  }

  function showStopped(): void {
    isRunning = false;
    startButton.textContent = 'Start';
  }

  function showNews(news: News): void {
    showProgress(news);
    for (const side of sides) {
      planes[side].showNews(news.sides[side]);
      guesses[side].showNews(news.sides[side]);
    }
    losses.showNews(news);
    watching.showNews(news);
    showLayers(news);
    showByHand(news.sides.with.channel);
  }
}

function settingsInAddress(): Settings {
  try {
    return fromHash(location.hash);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    showTrouble(error.message);
    return defaultSettings;
  }
}

/** @returns a phrase that says how the link can be had */
async function copyLink(): Promise<string> {
  try {
    // A page that is not served over HTTPS has no clipboard.
    await (navigator.clipboard as Clipboard | undefined)?.writeText(location.href);
    return 'clipboard' in navigator ? 'Copied' : 'The address bar has it';
  } catch {
    return 'The address bar has it';
  }
}

function showProgress({ step, epoch, stepsPerSecond }: News): void {
  const speed = stepsPerSecond > 0 ? `, ${number(Math.round(stepsPerSecond))} steps/s` : '';
  find('#progress', HTMLElement).textContent = `step ${number(step)}, epoch ${epoch}${speed}`;
}

function onClick(selector: string, act: () => void): void {
  find(selector, HTMLButtonElement).addEventListener('click', act);
}
