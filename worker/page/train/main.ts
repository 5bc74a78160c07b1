/** The training page's entry: the controls on one side, the engine on the other, and what it tells in between. */
import { find } from '../dom.ts';
import { number } from '../format.ts';
import { createByHand } from './by-hand.ts';
import { createControls, isTuned } from './controls.ts';
import { missingHere, startEngine } from './engine-client.ts';
import type { News, Report } from './engine/messages.ts';
import { type Point, type Settings, usualSettings } from './engine/settings.ts';
import { createLayers } from './layers.ts';
import { Losses } from './losses.ts';
import { createPlane } from './plane.ts';
import { lossesText, saveAs } from './save.ts';
import { fromHash, mostPoints, toHash } from './share.ts';
import { createWatchedView } from './watched.ts';

const missing = missingHere();
if (missing === undefined) start();
else tell(missing);

function tell(message: string): void {
  const trouble = find('#trouble', HTMLElement);
  trouble.textContent = message;
  trouble.hidden = message === '';
}

function start(): void {
  find('#stage', HTMLElement).hidden = false;
  let settings = settingsInAddress();
  let isRunning = false;
  const engine = startEngine(hear);
  const losses = new Losses();
  const showLayers = createLayers();
  const showByHand = createByHand();
  const planes = { with: createPlane('with', click), without: createPlane('without', click) };
  const controls = createControls(change, tell);
  const watching = createWatchedView((watched) => {
    for (const plane of Object.values(planes)) plane.showSample(watched.sample);
    engine.tell({ kind: 'watch', watched });
  });
  const pace = find('#pace', HTMLSelectElement);
  const go = find('#go', HTMLButtonElement);
  const shared = find('#shared', HTMLElement);

  go.addEventListener('click', () => {
    setRunning(!isRunning);
  });
  pace.addEventListener('change', () => {
    if (isRunning) setRunning(true);
  });
  onClick('#step', () => {
    setRunning(false);
    engine.tell({ kind: 'step' });
  });
  onClick('#reset', () => {
    tell('');
    setRunning(false);
    begin();
  });
  onClick('#share', () => {
    navigator.clipboard.writeText(location.href).then(
      () => {
        shared.textContent = 'Copied.';
      },
      () => {
        shared.textContent = 'The address bar has it.';
      },
    );
  });
  onClick('#undrop', () => {
    change({ points: [] });
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-drop]')) {
    button.addEventListener('click', () => {
      drop({ ...watching.watched.sample, label: Number(button.dataset['drop']) });
    });
  }
  window.addEventListener('hashchange', () => {
    tell('');
    settings = settingsInAddress();
    setRunning(false);
    begin();
  });
  for (const as of ['model', 'checkpoint', 'data'] as const) {
    onClick(`#save-${as}`, () => {
      const of = find('#away-side', HTMLSelectElement).value === 'without' ? 'without' : 'with';
      tell('');
      engine.tell({ kind: 'file', of, as });
    });
  }
  onClick('#save-losses', () => {
    engine.tell({ kind: 'losses' });
  });
  begin();

  function setRunning(on: boolean): void {
    isRunning = on;
    go.textContent = on ? 'Pause' : 'Start';
    engine.tell(on ? { kind: 'run', pace: Number(pace.value) } : { kind: 'pause' });
  }

  function begin(): void {
    controls.show(settings);
    watching.begin(settings.depth);
    losses.begin();
    engine.tell({ kind: 'begin', settings });
    engine.tell({ kind: 'watch', watched: watching.watched });
  }

  function change(part: Partial<Settings>): void {
    const before = settings;
    tell('');
    settings = { ...settings, ...part };
    history.replaceState(null, '', toHash(settings));
    shared.textContent = '';
    if (isTuned(before, settings)) {
      controls.show(settings);
      engine.tell({ kind: 'tune', settings });
      return;
    }
    const goesOn = isRunning;
    begin();
    if (goesOn) setRunning(true);
  }

  function click(at: Pick<Point, 'x' | 'y'>): void {
    const chosen = find('input[name=click]:checked', HTMLInputElement).value;
    if (chosen === 'watch') watching.moveSample(at);
    else drop({ ...at, label: Number(chosen) });
  }

  function drop(point: Point): void {
    if (settings.points.length < mostPoints) change({ points: [...settings.points, point] });
    else tell(`Dropped by hand: expected at most ${mostPoints} points.`);
  }

  function hear(report: Report): void {
    switch (report.kind) {
      case 'begun':
        for (const plane of Object.values(planes)) plane.showPoints(report.points, report.held);
        return;
      case 'news':
        showNews(report.news);
        return;
      case 'losses':
        saveAs('losses.csv', 'text/csv', lossesText(report.losses));
        return;
      case 'file':
        saveAs(report.name, 'application/octet-stream', report.content);
        return;
      case 'refused':
        tell(report.message);
        return;
      case 'trouble':
        isRunning = false;
        go.textContent = 'Start';
        tell(report.message);
    }
  }

  function showNews(news: News): void {
    showProgress(news);
    planes.with.showNews(news.sides.with);
    planes.without.showNews(news.sides.without);
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
    tell(error.message);
    return usualSettings;
  }
}

function showProgress({ step, epoch, stepsPerSecond }: News): void {
  const speed = stepsPerSecond > 0 ? `, ${number(Math.round(stepsPerSecond))} steps/s` : '';
  find('#progress', HTMLElement).textContent = `step ${number(step)}, epoch ${epoch}${speed}`;
}

function onClick(selector: string, act: () => void): void {
  find(selector, HTMLButtonElement).addEventListener('click', act);
}
