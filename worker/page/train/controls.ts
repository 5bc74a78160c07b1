/** The controls of the settings: each changes one setting, and shows its current value. */
import { find, make } from '../dom.ts';
import { type DataName, dataNames, optimizerNames, type Settings } from './engine/settings.ts';
import { checkedNumber } from './share.ts';

type Slid = 'learningRate' | 'batchSize' | 'bnMomentum' | 'depth' | 'scale';

interface Slider {
  readonly label: string;
  /** The slider's values in ascending order. A link may hold values between them. */
  readonly values: readonly number[];
  readonly hint: string;
}

const tenths = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => Number((10 ** ((from + i) / 10)).toPrecision(2)));

const sliders: Readonly<Record<Slid, Slider>> = {
  learningRate: { label: 'Learning rate', values: tenths(-30, 10), hint: 'training continues with it' },
  batchSize: {
    label: 'Batch size',
    values: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256],
    hint: 'starts training afresh',
  },
  bnMomentum: {
    label: 'Running average keeps',
    values: [0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999],
    hint: 'training continues with it',
  },
  depth: { label: 'Hidden layers', values: [1, 2, 3, 4, 5, 6, 7, 8], hint: 'starts training afresh' },
  scale: {
    label: 'Initial weights ×',
    values: [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4],
    hint: 'starts training afresh',
  },
};

/** Returns whether only settings differ that can change during a run. */
export const isTuned = (before: Settings, after: Settings): boolean =>
  Object.entries(before).every(
    ([name, value]) => name === 'learningRate' || name === 'bnMomentum' || value === after[name as keyof Settings],
  );

const textOf: Readonly<Record<DataName, string>> = {
  moons: 'two moons',
  circles: 'a circle in a circle',
  spirals: 'two spirals',
  clouds: 'two clouds',
  empty: 'only what you drop',
  digits: 'handwritten digits (0.5 MB)',
  own: 'your own table',
};

/** The settings with which the network is `mnist-mlp`, as the command trains it by default. */
const ofDigits: Partial<Settings> = { depth: 2, batchSize: 64 };

export interface Controls {
  readonly show: (settings: Settings) => void;
}

/**
 * @param change receives the setting that a control has changed
 * @param refuse receives the message about text that is not a valid value
 */
export function createControls(change: (part: Partial<Settings>) => void, refuse: (message: string) => void): Controls {
  const shows: ((settings: Settings) => void)[] = [];
  const place = find('#settings', HTMLElement);
  for (const name of Object.keys(sliders) as Slid[]) {
    const { root, show } = createSlider(name, change);
    place.append(root);
    shows.push(show);
  }
  const data = find('#data', HTMLSelectElement);
  const own = make('option', { value: 'own', disabled: true }, textOf.own);
  data.append(...dataNames.map((name) => (name === 'own' ? own : make('option', { value: name }, textOf[name]))));
  data.addEventListener('change', () => {
    const chosen = dataNames.find((name) => name === data.value);
    if (chosen) change(chosen === 'digits' ? { data: chosen, ...ofDigits } : { data: chosen });
  });
  const optimizer = find('#optimizer', HTMLSelectElement);
  optimizer.append(...optimizerNames.map((name) => make('option', { value: name }, name)));
  optimizer.addEventListener('change', () => {
    const chosen = optimizerNames.find((name) => name === optimizer.value);
    if (chosen) change({ optimizer: chosen });
  });
  const seed = find('#seed', HTMLInputElement);
  seed.addEventListener('change', () => {
    try {
      change({ seed: checkedNumber('seed', seed.value, 'seed') });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      refuse(error.message);
    }
  });
  find('#controls', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
  });
  shows.push((settings) => {
    // The option can be chosen once a table has been loaded.
    own.disabled &&= settings.data !== 'own';
    data.value = settings.data;
    optimizer.value = settings.optimizer;
    seed.value = String(settings.seed);
  });
  return {
    show: (settings) => {
      for (const show of shows) show(settings);
    },
  };
}

function createSlider(name: Slid, change: (part: Partial<Settings>) => void) {
  const { label, values, hint } = sliders[name];
  const id = `setting-${name}`;
  const input = make('input', { type: 'range', id, min: '0', max: String(values.length - 1), step: '1' });
  const output = make('output');
  output.htmlFor.add(id);
  input.addEventListener('input', () => {
    const value = values[input.valueAsNumber];
    if (value !== undefined) change({ [name]: value });
  });
  const root = make('div', { className: 'slider', title: hint }, make('label', { htmlFor: id }, label), input, output);
  return {
    root,
    show: (settings: Settings) => {
      const value = settings[name];
      input.value = String(nearest(values, value));
      output.value = String(value);
      input.setAttribute('aria-valuetext', String(value));
    },
  };
}

/** Returns the index of the value with the smallest ratio to the wanted one. */
function nearest(values: readonly number[], wanted: number): number {
  const apart = values.map((value) => Math.abs(Math.log((value + 1e-9) / (wanted + 1e-9))));
  return apart.indexOf(Math.min(...apart));
}
