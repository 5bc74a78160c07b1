/**
 * Resolves the settings of a request: the variables of the environment where they are set, then the Worker's options,
 * then the defaults.
 */
import type { Monitor } from '../drift/monitor.ts';
import type { Env, WorkerOptions } from '../options.ts';
import type { RequestContext } from './context.ts';
import { describe, RequestError } from '../errors.ts';

/**
 * Holds a function for each setting. Settings are read on demand, because a request needs few of them and the
 * environment belongs to the request.
 */
export interface Settings {
  readonly explain: Setting<boolean>;
  readonly page: Setting<boolean>;
  readonly docs: Setting<boolean>;
  readonly metrics: Setting<boolean>;
  /** Is empty when no other origin is allowed; `*` allows any. */
  readonly origins: Setting<readonly string[]>;
  /** Is empty when everyone may ask. */
  readonly keys: Setting<readonly string[]>;
  readonly log: Setting<boolean>;
  /** Is undefined when no model is monitored. */
  readonly monitor: Setting<Monitor | undefined>;
  readonly bodyBytes: Setting<number>;
  readonly batch: Setting<number>;
}

/** @throws Error when the variable is invalid */
type Setting<Value> = (env: Env | undefined) => Value;

const MIB = 2 ** 20;

/** @throws Error when an option is invalid or unknown */
export function settingsOf(options: WorkerOptions): Settings {
  requireObject('options', options);
  const { explain, page, docs, metrics, cors, apiKey, log, monitor, limits = {}, ...unknown } = options;
  requireObject('limits', limits);
  const { bodyBytes, batch, ...unknownLimits } = limits;
  refuseUnknown('options', 'explain, page, docs, metrics, cors, apiKey, log, monitor or limits', unknown);
  refuseUnknown('limits', 'bodyBytes or batch', unknownLimits);
  const settings: Settings = {
    explain: (env) => flag('EXPLAIN', env?.EXPLAIN) ?? flag('explain', explain) ?? true,
    page: (env) => flag('PAGE', env?.PAGE) ?? flag('page', page) ?? false,
    docs: (env) => flag('DOCS', env?.DOCS) ?? flag('docs', docs) ?? false,
    metrics: (env) => flag('METRICS', env?.METRICS) ?? flag('metrics', metrics) ?? false,
    origins: (env) => origins('CORS_ORIGINS', env?.CORS_ORIGINS) ?? origins('cors', cors) ?? [],
    keys: (env) => keys('API_KEY', env?.API_KEY) ?? (apiKey === undefined ? [] : optionKeys(apiKey)),
    log: (env) => flag('LOG_REQUESTS', env?.LOG_REQUESTS) ?? flag('log', log) ?? true,
    monitor: () => monitorOf(monitor),
    bodyBytes: (env) =>
      positive('MAX_BODY_BYTES', env?.MAX_BODY_BYTES) ?? positive('limits.bodyBytes', bodyBytes) ?? 8 * MIB,
    batch: (env) => positive('MAX_BATCH', env?.MAX_BATCH) ?? positive('limits.batch', batch) ?? 256,
  };
  // A wrong option is reported when the Worker starts rather than in an answer.
  for (const setting of Object.values<Setting<unknown>>({ ...settings })) setting(undefined);
  return settings;
}

/** @throws RequestError when the Worker does not explain its models */
export function requireExplain(c: RequestContext, settings: Settings, what: string): void {
  if (!settings.explain(c.env))
    throw notTurnedOn(what, 'explains', 'EXPLAIN=true or createWorker(image, { explain: true })');
}

/**
 * Refuses a request for what this Worker could do, but is not set to.
 * @param what the part of the request that asks for it
 * @param does a verb, with its object
 * @param how the setting that turns it on
 */
export const notTurnedOn = (what: string, does: string, how: string): RequestError =>
  new RequestError('not found', `${what}: expected a Worker that ${does}, got one that does not (${how})`);

/** Checks the type, because a program without types may pass anything. */
function requireObject(where: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new TypeError(`${where}: expected an object, got ${describe(value)}`);
}

function refuseUnknown(where: string, expected: string, unknown: object): void {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new Error(`${where}: expected ${expected}, got ${JSON.stringify(name)}`);
}

function flag(name: string, value: unknown): boolean | undefined {
  if (isUnset(value)) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new Error(`${name}: expected true or false, got ${JSON.stringify(value)}`);
}

function monitorOf(value: Monitor | undefined): Monitor | undefined {
  // A program without types may pass anything.
  const { watch, report, metrics } = (value ?? {}) as Partial<Monitor>;
  const isMonitor = [watch, report, metrics].every((each) => typeof each === 'function');
  if (value === undefined || isMonitor) return value;
  throw new TypeError(`monitor: expected that of bn-edge/worker/drift, got ${describe(value)}`);
}

function positive(name: string, value: unknown): number | undefined {
  if (isUnset(value)) return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (Number.isSafeInteger(number) && Number(number) > 0) return Number(number);
  throw new Error(`${name}: expected a positive integer, got ${JSON.stringify(value)}`);
}

/** Matches the scheme and the host of a page, as a browser sends them. */
const origin = /^[a-z][a-z\d+.-]*:\/\/[^/\s]+$/i;

function origins(name: string, value: unknown): readonly string[] | undefined {
  if (isUnset(value)) return undefined;
  const parts = listOf(name, value).flatMap((item) => item.split(','));
  const all = parts.map((part) => part.trim()).filter((part) => part !== '');
  const wrong = all.find((item) => item !== '*' && !origin.test(item));
  if (wrong === undefined) return all;
  throw new Error(`${name}: expected * or origins as in https://app.example, got ${JSON.stringify(wrong)}`);
}

/** Matches what `Authorization: Bearer` can carry: https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const token = /^[\w.~+/-]+=*$/;

/** Reads the keys. No message ever holds one. */
function keys(name: string, value: unknown): readonly string[] | undefined {
  if (isUnset(value)) return undefined;
  const all = listOf(name, value);
  if (all.length === 0) throw new Error(`${name}: expected at least one key, got none`);
  if (all.every((key) => token.test(key))) return all;
  throw new Error(`${name}: expected keys of letters, digits and -._~+/, got another`);
}

/**
 * Reads the keys that code gives. An empty one is not taken as missing: that would leave open what was meant to be
 * closed.
 */
function optionKeys(value: string | readonly string[]): readonly string[] {
  return keys('apiKey', typeof value === 'string' ? [value] : value) ?? [];
}

/** Reads one text, a list, or a list as JSON. */
function listOf(name: string, value: unknown): readonly string[] {
  const list: unknown = typeof value === 'string' && value.startsWith('[') ? parsed(value) : value;
  if (typeof list === 'string') return [list];
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  throw new Error(`${name}: expected a text or a list of texts, got another value`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isUnset = (value: unknown): boolean => value === undefined || value === '';
