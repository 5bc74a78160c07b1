/** Writes the settings into the fragment of the address, so that a link restores them. */
import { dataNames, limits, optimizerNames, type Point, type Settings, defaultSettings } from './engine/settings.ts';

/** Maps each setting to its name in the address. A setting without a name does not compile. */
const keys = {
  data: 'data',
  learningRate: 'rate',
  batchSize: 'batch',
  bnMomentum: 'momentum',
  depth: 'depth',
  scale: 'scale',
  optimizer: 'optimizer',
  seed: 'seed',
  points: 'points',
  label: 'label',
} as const satisfies Readonly<Record<keyof Settings, string>>;

/** Coordinates are rounded to a thousandth. */
const thousandths = 1000;

const isWhole = new Set<string>(['batchSize', 'depth', 'seed']);

/** Returns the fragment. Its parts stand in the order of `keys`, so that equal settings have the same address. */
export function toHash(settings: Settings): string {
  const { points, label, ...others } = settings;
  const entries = (Object.keys(keys) as (keyof typeof keys)[]).flatMap((name): [string, string][] =>
    name === 'points' || name === 'label' ? [] : [[keys[name], String(others[name])]],
  );
  if (points.length > 0) entries.push([keys.points, points.map(pointText).join('_')]);
  if (settings.data === 'own' && label !== '') entries.push([keys.label, label]);
  return `#${new URLSearchParams(entries).toString()}`;
}

const pointText = ({ x, y, label }: Point): string =>
  [Math.round(x * thousandths), Math.round(y * thousandths), label].join('.');

/** @throws RangeError naming what the address holds and what was expected */
export function fromHash(hash: string): Settings {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const known = new Set<string>(Object.values(keys));
  const unknown = [...parameters.keys()].find((key) => !known.has(key));
  if (unknown !== undefined)
    throw new RangeError(`link: expected ${[...known].join(', ')}, got ${JSON.stringify(unknown)}`);
  return {
    data: oneOf('data', parameters, dataNames),
    optimizer: oneOf('optimizer', parameters, optimizerNames),
    learningRate: numberOf('learningRate', parameters),
    batchSize: numberOf('batchSize', parameters),
    bnMomentum: numberOf('bnMomentum', parameters),
    depth: numberOf('depth', parameters),
    scale: numberOf('scale', parameters),
    seed: numberOf('seed', parameters),
    points: pointsOf(parameters.get(keys.points) ?? ''),
    label: parameters.get(keys.label) ?? '',
  };
}

function oneOf<Name extends string>(
  setting: 'data' | 'optimizer',
  parameters: URLSearchParams,
  names: readonly Name[],
): Name {
  const text = parameters.get(keys[setting]) ?? defaultSettings[setting];
  const found = names.find((name) => name === text);
  if (found === undefined) throw new RangeError(`link: ${keys[setting]}: expected ${names.join(', ')}, got ${text}`);
  return found;
}

function numberOf(setting: keyof typeof limits, parameters: URLSearchParams): number {
  const text = parameters.get(keys[setting]);
  return text === null ? defaultSettings[setting] : checkedNumber(setting, text, `link: ${keys[setting]}`);
}

/** @throws RangeError for text that is not a valid number for this setting */
export function checkedNumber(setting: keyof typeof limits, text: string, where: string): number {
  const [min, max] = limits[setting];
  const value = text.trim() === '' ? NaN : Number(text);
  const fits = value >= min && value <= max && (!isWhole.has(setting) || Number.isInteger(value));
  if (fits) return value;
  const kind = isWhole.has(setting) ? 'a whole number' : 'a number';
  throw new RangeError(`${where}: expected ${kind} from ${min} to ${max}, got ${JSON.stringify(text)}`);
}

/** The maximum number of points in a link. */
export const maxPoints = 500;

function pointsOf(text: string): readonly Point[] {
  if (text === '') return [];
  const parts = text.split('_');
  if (parts.length > maxPoints)
    throw new RangeError(`link: points: expected at most ${maxPoints}, got ${parts.length}`);
  return parts.map((part) => {
    const [, x = '', y = '', label = ''] = /^(-?\d{1,4})\.(-?\d{1,4})\.([01])$/.exec(part) ?? [];
    const point = { x: Number(x) / thousandths, y: Number(y) / thousandths, label: Number(label) };
    const fits = label !== '' && Math.abs(point.x) <= 1 && Math.abs(point.y) <= 1;
    if (!fits) throw new RangeError(`link: points: expected x.y.class, as in 250.-500.1, got ${JSON.stringify(part)}`);
    return point;
  });
}
